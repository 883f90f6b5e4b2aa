"""A full run that was cut off goes on with what was not run, and tells of the rest what was found then."""

from pathlib import Path

from tests.chaos.attack import Report
from tests.chaos.kept_reports import KeptReports

REPORT = Report("2 schedules", {"seconds": 0.5}, ("one was lost",))


def test_what_was_found_is_found_again_with_its_violations(tmp_path: Path) -> None:
    kept = KeptReports(tmp_path / "kept")
    assert kept.find(2, "part-1") is None
    told = kept.keep(2, "part-1", REPORT, 3.0)
    assert KeptReports(tmp_path / "kept").find(2, "part-1") == told
    assert told.report == REPORT
    assert told.ran.split(" ", 1)[1]


def test_units_of_other_attacks_and_a_unit_that_was_cut_off_are_run(tmp_path: Path) -> None:
    kept = KeptReports(tmp_path)
    kept.keep(2, "part-1", REPORT, 3.0)
    (tmp_path / "02-part-2.part").write_text('{"report": {"done"', encoding="utf-8")
    assert kept.find(1, "part-1") is None
    assert kept.find(2, "part-2") is None


def test_a_run_begun_afresh_forgets(tmp_path: Path) -> None:
    kept = KeptReports(tmp_path)
    kept.keep(2, "part-1", REPORT, 3.0)
    kept.forget()
    assert kept.find(2, "part-1") is None


def test_a_run_at_ci_size_keeps_nothing() -> None:
    kept = KeptReports(None)
    kept.keep(2, "part-1", REPORT, 3.0)
    assert kept.find(2, "part-1") is None
