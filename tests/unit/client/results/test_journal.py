"""Results that outlive the run that got them."""

import errno
import io
from pathlib import Path

import pytest

from headrace.client.results.journal import Asked, Journal
from headrace.messaging.errors import Invalid

ASKED = Asked("digest", {"model": "m"})


def opened(folder: Path, asked: Asked = ASKED, *, restart: bool = False) -> Journal:
    return Journal.open(folder / "out.jsonl", asked, restart=restart)


def test_a_run_goes_on_with_the_results_the_batch_and_the_offsets_of_the_one_before(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        first.begin({0: 7, 1: 0})
        assert first.add(3, {"label": "good"})
        assert not first.add(3, {"label": "bad"})
    with opened(tmp_path) as second:
        second.begin({0: 99, 1: 99})
        assert (second.batch_id, second.since, list(second)) == (first.batch_id, {0: 7, 1: 0}, [3])
        assert second[3] == {"label": "good"}


class FullDisk(io.BytesIO):
    """Keeps what it was given, and has no room for it when it is closed."""

    def close(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_not_told_a_second_time(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="the first word"), Journal(tmp_path / "out.partial", FullDisk(), "batch"):
        raise Invalid("the first word")


def test_a_line_half_written_is_as_if_it_had_not_been(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        for line in (1, 2):
            first.add(line, {"label": "good"})
    path = tmp_path / "out.jsonl.partial"
    path.write_bytes(path.read_bytes()[:-9])
    with opened(tmp_path) as second:
        assert list(second) == [1]
        assert second.add(2, {"label": "bad"})
    with opened(tmp_path) as third:
        assert [third[line]["label"] for line in (1, 2)] == ["good", "bad"]


@pytest.mark.parametrize(
    ("other", "named"),
    [(Asked("another", {"model": "m"}), "file"), (Asked("digest", {"model": "n", "labels": {}}), "labels, model")],
)
def test_a_run_about_something_else_does_not_go_on_from_it(tmp_path: Path, other: Asked, named: str) -> None:
    with opened(tmp_path) as first:
        first.add(1, {"label": "good"})
    with pytest.raises(Invalid, match=rf"something else \({named}\)"):
        opened(tmp_path, other)
    with opened(tmp_path, other, restart=True) as anew:
        assert len(anew) == 0


def test_a_file_that_is_no_journal_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl.partial"
    path.write_bytes(b'{"somebody": "else"}\n')
    with pytest.raises(Invalid, match="its form"):
        opened(tmp_path)
    assert path.read_bytes() == b'{"somebody": "else"}\n'


def test_two_runs_at_a_time_do_not_share_an_output(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        with pytest.raises(Invalid, match="another run is writing"):
            opened(tmp_path)
        first.drop()
    assert list(tmp_path.iterdir()) == []
