from services.gateway.domain.shelf import Shelf


def test_the_longest_unused_turn_makes_room() -> None:
    shelf = Shelf(10)
    assert shelf.put("a", 4) == []
    assert shelf.put("b", 4) == []
    shelf.touch("a")
    assert shelf.put("c", 4) == ["b"]


def test_what_is_larger_than_the_shelf_is_not_kept() -> None:
    shelf = Shelf(10)
    shelf.put("a", 4)
    assert shelf.put("b", 11) == ["a", "b"]
    assert shelf.put("c", 10) == []


def test_a_turn_put_twice_counts_once() -> None:
    shelf = Shelf(10)
    shelf.put("a", 6)
    assert shelf.put("a", 8) == []
    assert shelf.put("b", 2) == []
