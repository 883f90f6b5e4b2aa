from services.inference.domain.presence import Presence


def test_a_caller_that_says_nothing_for_long_is_gone_and_told_once() -> None:
    presence = Presence(5)
    presence.heard("a", 0)
    presence.heard("b", 0)
    presence.heard("b", 4)
    assert presence.next_look(4) == 1
    assert presence.gone(5) == ["a"]
    assert presence.gone(5) == []
    assert presence.next_look(5) == 4
    assert presence.gone(9) == ["b"]
    assert presence.next_look(9) is None


def test_a_caller_that_comes_back_is_there() -> None:
    presence = Presence(5)
    presence.heard("a", 0)
    assert presence.gone(5) == ["a"]
    presence.heard("a", 6)
    assert presence.gone(7) == []
