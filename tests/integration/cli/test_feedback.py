"""`headrace feedback` over a database as the service keeps it, with safety's recognisers in their own process."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import typer
from typer.testing import CliRunner, Result

from headrace.cli import feedback
from services.feedback.adapters.store import SqlStore
from services.feedback.domain.feedback import CompletedTurn, Feedback

pytestmark = pytest.mark.integration

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
Run = Callable[..., Result]


def a_turn(question: str, answer: str, *, template: str = "chat/1", at_ms: int = NOW_MS) -> CompletedTurn:
    return CompletedTurn(
        turn_id=str(uuid4()), tenant="acme", conversation_id="c", subject="zoe", arm="default", status="answered",
        pipeline="chat/1", template=template, model="m", revision="r", policy="p", corpus="", finish_reason="stop",
        cached=False, prompt_tokens=1, completion_tokens=1, trace_id="", question=question, answer=answer, documents=(),
        completed_at_ms=at_ms,
    )  # fmt: skip


def said_of(turn: CompletedTurn, **said: Any) -> Feedback:
    given: dict[str, Any] = {
        "user": "zoe", "scale": "thumbs", "rating": 1, "comment": "", "correction": "", "consent_to_train": True,
        "submitted_at_ms": turn.completed_at_ms, **said,
    }  # fmt: skip
    return Feedback(feedback_id=str(uuid4()), turn_id=turn.turn_id, tenant=turn.tenant, **given)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore.at(f"sqlite:///{tmp_path / 'data' / 'feedback' / 'feedback.sqlite'}")
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    root = typer.Typer()
    root.callback()(lambda: None)
    feedback.register(root)

    def invoke(*arguments: str, **environment: str) -> Result:
        told = {"HEADRACE_DATA_DIR": str(tmp_path / "data"), **environment}
        return CliRunner().invoke(root, ["feedback", *arguments], env=told)

    return invoke


async def keep(store: SqlStore, turn: CompletedTurn, *said: Feedback) -> None:
    await store.keep_turn(turn, 0)
    for each in said:
        await store.keep_feedback(each, 0)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def files_of(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_file()]


async def test_what_was_liked_or_corrected_becomes_examples_without_anybodys_data(
    store: SqlStore, run: Run, tmp_path: Path
) -> None:
    """INVARIANT: no value that safety knows as personal or secret is in a file that leaves the house."""
    liked = a_turn(
        "Mail jane.roe@corp.test about it?", "I wrote to jane.roe@corp.test and to bob@corp.test.", at_ms=NOW_MS + 0
    )
    again = a_turn("Mail JOHN@corp.test about it?", "I wrote to JOHN@corp.test and to ann@corp.test.", at_ms=NOW_MS + 1)
    corrected = a_turn("How long?", "Two days.", at_ms=NOW_MS + 2)
    refused = a_turn("Is it secret?", "Yes.", at_ms=NOW_MS + 3)
    disliked = a_turn("Is it good?", "No.", at_ms=NOW_MS + 4)
    await keep(store, liked, said_of(liked))
    await keep(store, again, said_of(again, scale="stars", rating=5))
    await keep(store, corrected, said_of(corrected, rating=-1, correction="Five days, call +1 415 555 2671."))
    await keep(store, refused, said_of(refused, consent_to_train=False))
    await keep(store, disliked, said_of(disliked, rating=-1))
    output = tmp_path / "train.jsonl"
    result = await asyncio.to_thread(run, "export", "-o", str(output), "--json")
    assert result.exit_code == 0, result.output
    assert lines(output) == [
        {
            "prompt": "Mail <EMAIL_1> about it?",
            "completion": "I wrote to <EMAIL_1> and to <EMAIL_2>.",
        },
        {"prompt": "How long?", "completion": "Five days, call <PHONE_1>."},
    ]
    summary = json.loads(result.stdout)
    assert (summary["answers"], summary["examples"], summary["corrected"]) == (5, 2, 1)
    assert summary["skipped"] == {"no_consent": 1, "below_rating": 1, "empty": 0, "duplicate": 1}
    assert summary["masked"] == {"EMAIL": 3, "PHONE": 1}
    assert files_of(tmp_path) == ["train.jsonl"]


async def test_the_shape_of_a_chat_the_time_and_the_rating_can_be_chosen(
    store: SqlStore, run: Run, tmp_path: Path
) -> None:
    old = a_turn("Old?", "Yes.", at_ms=NOW_MS - 9 * HOUR_MS)
    fair = a_turn("Fair?", "Yes.")
    await keep(store, old, said_of(old))
    await keep(store, fair, said_of(fair, scale="stars", rating=3))
    output = tmp_path / "chat.jsonl"
    moment = datetime.fromtimestamp((NOW_MS - HOUR_MS) / 1000, tz=UTC).isoformat()
    chosen = ("--format", "chat", "--since", moment, "--pipeline", "chat", "--tenant", "acme")
    assert (await asyncio.to_thread(run, "export", "-o", str(output), *chosen)).exit_code == 1
    assert not output.exists()
    result = await asyncio.to_thread(run, "export", "-o", str(output), *chosen, "--min-rating", "3")
    assert result.exit_code == 0, result.output
    assert lines(output) == [
        {"messages": [{"role": "user", "content": "Fair?"}, {"role": "assistant", "content": "Yes."}]}
    ]


@pytest.mark.parametrize(
    "scrubber", [["false"], ["cat"], ["no-such-program-at-all"], [sys.executable, "-c", "print(1)"]]
)
async def test_without_who_masks_personal_data_nothing_is_written(
    store: SqlStore, run: Run, tmp_path: Path, scrubber: list[str]
) -> None:
    """INVARIANT: an export fails closed: an earlier file stands, and no half of a new one lies beside it."""
    turn = a_turn("Mail jane.roe@corp.test?", "Yes.")
    await keep(store, turn, said_of(turn))
    output = tmp_path / "train.jsonl"
    output.write_text("before\n", encoding="utf-8")
    result = await asyncio.to_thread(
        run, "export", "-o", str(output), HEADRACE_FEEDBACK_SCRUB_COMMAND=json.dumps(scrubber)
    )
    assert result.exit_code == 1
    assert "what masks personal data gave no answer" in " ".join(result.stderr.split())
    assert "jane" not in result.output
    assert output.read_text(encoding="utf-8") == "before\n"
    assert files_of(tmp_path) == ["train.jsonl"]


async def test_a_full_disk_leaves_the_earlier_file(store: SqlStore, run: Run, tmp_path: Path) -> None:
    turn = a_turn("How?", "So.")
    await keep(store, turn, said_of(turn))
    output = tmp_path / "train.jsonl"
    output.write_text("before\n", encoding="utf-8")
    # What is written lies there until it is whole.
    (tmp_path / "train.jsonl.writing").symlink_to("/dev/full")
    result = await asyncio.to_thread(run, "export", "-o", str(output))
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert output.read_text(encoding="utf-8") == "before\n"
    assert files_of(tmp_path) == ["train.jsonl"]


async def test_the_report_tells_templates_apart(store: SqlStore, run: Run) -> None:
    for template, rating in (("chat/1", 1), ("chat/1", -1), ("chat/2", 1)):
        turn = a_turn("How?", "So.", template=template)
        await keep(store, turn, said_of(turn, rating=rating, reasons=("accuracy",), consent_to_train=False))
    result = await asyncio.to_thread(run, "report", "--json")
    assert result.exit_code == 0, result.output
    first, second = json.loads(result.stdout)
    assert (first["template"], first["answers"], first["mean"], first["thumbs_up"], first["thumbs_down"]) == (
        "chat/1", 2, 0.5, 1, 1,
    )  # fmt: skip
    assert first["liked"]["share"] == 0.5
    assert first["reasons"] == {"accuracy": 2}
    assert (second["template"], second["mean"]) == ("chat/2", 1.0)
    shown = await asyncio.to_thread(run, "report")
    for told in ("50% of 2", "9% to 91%", "chat/2, default", "accuracy 2"):
        assert told in shown.stdout
    assert (await asyncio.to_thread(run, "report", "--pipeline", "reviews")).exit_code == 1


def test_no_feedback_yet_is_said(run: Run, tmp_path: Path) -> None:
    result = run("report")
    assert result.exit_code == 1
    assert "there is no feedback yet" in " ".join(result.stderr.split())
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("-o", "x.csv"), "end in .jsonl"),
        (("-o", "nowhere/x.jsonl"), "there is no folder"),
        (("-o", "x.jsonl", "--since", "soon"), "is no moment"),
    ],
)
def test_a_wrong_command_line_names_what_is_wrong(run: Run, arguments: tuple[str, ...], reason: str) -> None:
    result = run("export", *arguments)
    assert result.exit_code == 2
    assert reason in " ".join(result.stderr.split())
