from pathlib import Path

from tests.chaos.path.journal import Journal, read_journal


def test_what_several_writers_noted_is_read_in_full(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    first, second = Journal(path), Journal(path)
    first.write("generated", "t1")
    second.write("generated", "t2")
    first.write("committed", "t1", 2)
    lines = list(read_journal(path))
    assert [(line.deed, line.turn_id, line.attempt) for line in lines] == [
        ("generated", "t1", 0),
        ("generated", "t2", 0),
        ("committed", "t1", 2),
    ]
    assert sorted(lines, key=lambda line: line.at_ns) == lines


def test_a_journal_that_nobody_wrote_is_empty(tmp_path: Path) -> None:
    assert list(read_journal(tmp_path / "journal")) == []
