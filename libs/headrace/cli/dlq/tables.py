"""Letters as tables and as JSON."""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from headrace.cli.dlq.text import local, one_line, short_topic
from headrace.cli.output import out
from headrace.client.dead_letters.choice import State, state_of
from headrace.messaging.letters import Letter
from headrace.v1.dead_letters_pb2 import DeadLetterDisposition

_STATE_STYLES: Final = {State.OPEN: "red", State.REDRIVEN: "green", State.PURGED: "dim"}
# What is piped is for programs that look for words: nothing in it is cut to a terminal's width.
PIPED_WIDTH: Final = 400
_GAP: Final = "  "
_LEAST_ERROR: Final = 34
_MOST_ERROR: Final = 100
_STYLES: Final = {"id": "bold", "error": "yellow", "trace": "dim"}

Done = Mapping[str, DeadLetterDisposition]


def screen() -> Console:
    """Where tables go."""
    return out if out.is_terminal else Console(width=PIPED_WIDTH)


def letters_lines(letters: Sequence[Letter], done: Done, *, width: int) -> list[Text]:
    """A head and a line a letter. A narrow screen does without what a script asks for, so that errors can be read.

    By hand: a table of ten thousand rows takes a table's library twenty seconds.
    """
    columns = {
        "id": [letter.id for letter in letters],
        "died": [local(letter.dead_ms) for letter in letters],
        "stage": [one_line(letter.stage, 14) for letter in letters],
        "error": [],
        "tries": [str(letter.attempts) for letter in letters],
        "state": [state_of(done.get(letter.id)).value for letter in letters],
    }
    spare = {
        "origin": [origin(letter) for letter in letters],
        "tenant": [one_line(letter.tenant, 24) for letter in letters],
        "trace": [letter.trace_id for letter in letters],
    }
    room = width - sum(_widest(name, cells) for name, cells in columns.items() if cells)
    for name, cells in spare.items():
        if room - _widest(name, cells) >= _LEAST_ERROR:
            room -= _widest(name, cells)
            columns[name] = cells
    most = min(room - len(_GAP), _MOST_ERROR)
    columns["error"] = [one_line(f"{letter.error} {letter.message}", most) for letter in letters]
    widths = [_widest(name, cells) for name, cells in columns.items()]
    head = Text("".join(name.ljust(wide) for name, wide in zip(columns, widths, strict=True)).rstrip(), "dim")
    rows = zip(*columns.values(), strict=True)
    return [head, *(_line(zip(columns, row, widths, strict=True)) for row in rows)]


def print_lines(lines: Sequence[Text]) -> None:
    """In colours on a terminal, plain where it is piped."""
    if out.is_terminal:
        out.print(Text("\n").join(lines), soft_wrap=True, highlight=False)
    else:
        sys.stdout.write("\n".join(line.plain for line in lines) + "\n")


def _line(cells: Iterable[tuple[str, str, int]]) -> Text:
    line = Text()
    for name, cell, wide in cells:
        line.append(cell, _style(name, cell)).append(" " * (wide - cell_len(cell)))
    line.rstrip()
    return line


def _widest(name: str, cells: Sequence[str]) -> int:
    return max(cell_len(cell) for cell in (name, *cells)) + len(_GAP)


def _style(name: str, cell: str) -> str:
    return _STATE_STYLES[State(cell)] if name == "state" else _STYLES.get(name, "")


def origin(letter: Letter) -> str:
    """Where it came from, in a word."""
    topic = one_line(short_topic(letter.origin_topic), 60)
    return f"{topic}/{letter.origin_partition}@{letter.origin_offset}"


def summary_table(letters: Sequence[Letter], done: Done) -> Table:
    """Counts by stage and error."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("stage")
    table.add_column("error")
    for state in State:
        table.add_column(state, justify="right")
    table.add_column("first died")
    table.add_column("last died")
    for row in counted(letters, done):
        table.add_row(
            Text(one_line(row["stage"], 20)),
            Text(one_line(row["error"], 40), "yellow"),
            *(str(row[state.value] or "") for state in State),
            local(row["first_ms"]),
            local(row["last_ms"]),
        )
    return table


def counted(letters: Iterable[Letter], done: Done) -> list[dict[str, Any]]:
    """Counts by stage and error, the most first."""
    states: dict[tuple[str, str], Counter[State]] = defaultdict(Counter)
    moments: dict[tuple[str, str], list[int]] = defaultdict(list)
    for letter in letters:
        states[letter.stage, letter.error][state_of(done.get(letter.id))] += 1
        moments[letter.stage, letter.error].append(letter.dead_ms)
    return [
        {
            "stage": stage,
            "error": error,
            **{state.value: counts[state] for state in State},
            "first_ms": min(moments[stage, error]),
            "last_ms": max(moments[stage, error]),
        }
        for (stage, error), counts in sorted(states.items(), key=lambda item: -item[1].total())
    ]


def as_json(letter: Letter, disposition: DeadLetterDisposition | None) -> dict[str, Any]:
    """A letter for a script; moments in UTC."""
    return {
        "id": letter.id,
        "died_at": utc(letter.dead_ms),
        "state": state_of(disposition).value,
        "stage": letter.stage,
        "error": {"class": letter.error, "message": letter.message},
        "attempts": letter.attempts,
        "origin": {
            "topic": letter.origin_topic,
            "partition": letter.origin_partition,
            "offset": letter.origin_offset,
            "at": utc(letter.origin_ms),
        },
        "tenant": letter.tenant,
        "trace_id": letter.trace_id,
        "bytes": letter.bytes,
        "redriven_from": letter.redriven_from,
        **({} if disposition is None else {"disposition": disposed(disposition)}),
    }


def disposed(disposition: DeadLetterDisposition) -> dict[str, Any]:
    """What was done with a letter."""
    return {
        "at": utc(disposition.at.ToMilliseconds()),
        "operator": disposition.operator,
        "topic": disposition.topic,
        "repaired": disposition.repaired,
    }


def utc(epoch_ms: int) -> str:
    """ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="milliseconds")
