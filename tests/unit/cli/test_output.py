import pytest
from rich.table import Table

from headrace.cli.output import print_figures


def test_a_table_of_figures_is_cut_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(box=None)
    for number in range(10):
        table.add_column(f"column {number}", no_wrap=True)
    table.add_row(*["0.123-0.456"] * 10)
    print_figures(table)
    header, row = capsys.readouterr().out.splitlines()
    assert row.count("0.123-0.456") == 10
    assert [header.index(f"column {number}") for number in range(10)] == [
        at for at in range(len(row)) if row.startswith("0.123", at)
    ]
