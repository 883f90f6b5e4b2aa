"""`headrace dlq` as an operator types it, on a real broker."""

import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
import typer
from typer.testing import CliRunner, Result

from headrace.cli import dlq
from headrace.cli.output import log_to_stderr
from headrace.messaging import headers, topics
from headrace.messaging.contract import Outgoing
from headrace.messaging.errors import Invalid, Undecodable
from headrace.v1.knowledge_pb2 import KnowledgeDocument
from headrace.v1.turns_pb2 import Turn
from tests.fakes.letters import INFERENCE, a_record, a_turn, arrived, dead, publish
from tests.fakes.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def logs_beside_results() -> Iterator[None]:
    """As the command line has it."""
    kept = structlog.get_config()
    log_to_stderr()
    yield
    structlog.configure(**kept)


@pytest.fixture
def tenant() -> str:
    """Tells this test's letters from those of the others on the session's broker."""
    return f"tenant-{uuid.uuid4()}"


async def run(kafka: str, *arguments: str | Path) -> Result:
    root = typer.Typer()
    root.callback()(lambda: None)
    dlq.register(root)
    environment = {"HEADRACE_KAFKA_BOOTSTRAP": kafka, "COLUMNS": "200"}
    return await asyncio.to_thread(CliRunner().invoke, root, ["dlq", *map(str, arguments)], env=environment)


async def ids(kafka: str, tenant: str, *options: str) -> list[str]:
    result = await run(kafka, "list", "--tenant", tenant, "--json", *options)
    return [letter["id"] for letter in json.loads(result.stdout)["letters"]]


async def bury(kafka: str, tenant: str, *errors: Exception) -> list[str]:
    records = [a_record(a_turn(f"{tenant}-{number}", tenant=tenant)) for number in range(len(errors))]
    await publish(kafka, [dead(record, error=error) for record, error in zip(records, errors, strict=True)])
    return await ids(kafka, tenant)


async def test_letters_are_listed_filtered_and_counted(kafka: str, tenant: str) -> None:
    await bury(kafka, tenant, Invalid("no such model"), Undecodable("truncated"), Undecodable("truncated"))
    listed = await run(kafka, "list", "--tenant", tenant, "--error", "undecodable")
    assert listed.exit_code == 0
    assert listed.stdout.count("Undecodable truncated") == 2
    assert "no such model" not in listed.stdout
    assert len(await ids(kafka, tenant, "--limit", "1")) == 1
    assert len(await ids(kafka, tenant, "--since", "1h", "--topic", "*.inference.*")) == 3
    assert await ids(kafka, tenant, "--until", "1h ago") == []
    counted = json.loads((await run(kafka, "list", "--tenant", tenant, "--summary", "--json")).stdout)
    assert [(row["error"], row["open"]) for row in counted["counts"]] == [("Undecodable", 2), ("Invalid", 1)]
    summary = await run(kafka, "list", "--tenant", tenant, "--summary")
    assert "inference  Undecodable     2" in summary.stdout


async def test_what_is_logged_on_the_way_is_not_in_the_result(kafka: str, tenant: str) -> None:
    await publish(kafka, [Outgoing(topics.DISPOSITIONS, "no-letter", None, raw=b"\xff\xff")])
    command = [sys.executable, "-m", "headrace.cli.main", "dlq", "list", "--tenant", tenant, "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "HEADRACE_KAFKA_BOOTSTRAP": kafka, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    out, err = await process.communicate()
    assert json.loads(out)["letters"] == []
    assert b"a disposition cannot be read" in err


async def test_users_words_are_shown_only_to_who_asks(kafka: str, tenant: str) -> None:
    (letter,) = await bury(kafka, tenant, Invalid("no such model"))
    shown = await run(kafka, "show", letter[:6])
    assert shown.exit_code == 0
    assert "no such model" in shown.stdout
    assert "headrace.v1.Turn" in shown.stdout
    assert "secret words" not in shown.stdout
    assert "secret words" not in (await run(kafka, "show", letter, "--json")).stdout
    assert "secret words of a user" in (await run(kafka, "show", letter, "--content")).stdout


async def test_poison_is_taken_out_mended_and_sent_back(kafka: str, tenant: str, tmp_path: Path) -> None:
    turn = a_turn(f"{tenant}-0", tenant=tenant)
    await publish(kafka, [dead(a_record(turn, value=turn.SerializeToString() + b"\xff"), error=Undecodable("bad"))])
    (letter,) = await ids(kafka, tenant)
    raw = await run(kafka, "show", letter, "--raw")
    assert raw.stdout_bytes == turn.SerializeToString() + b"\xff"
    assert "no message in these bytes" in (await run(kafka, "show", letter, "--message")).stderr
    preview = await run(kafka, "redrive", letter, "--dry-run")
    assert "dies again" in preview.stdout
    (tmp_path / "still-bad").write_bytes(raw.stdout_bytes)
    refused = await run(kafka, "redrive", letter, "--value", tmp_path / "still-bad")
    assert refused.exit_code == 4
    assert "repaired bytes do not fit" in refused.stderr
    (tmp_path / "mended").write_bytes(raw.stdout_bytes[:-1])
    assert (await run(kafka, "redrive", letter, "--value", tmp_path / "mended")).exit_code == 0
    await until("the letter has left the list", lambda: _is_gone(kafka, tenant))
    async with arrived(kafka, INFERENCE) as records:
        (back,) = [found for found in records if found.headers.get(headers.REDRIVEN_FROM) == letter]
    assert Turn.FromString(back.value or b"").turn_id == turn.turn_id


async def test_an_edited_message_goes_back(kafka: str, tenant: str, tmp_path: Path) -> None:
    (letter,) = await bury(kafka, tenant, Invalid("no such model"))
    message = json.loads((await run(kafka, "show", letter, "--message")).stdout)
    message["prepared"]["model"] = "another"
    (tmp_path / "turn.json").write_text(json.dumps(message), encoding="utf-8")
    sent = await run(kafka, "redrive", letter, "--edit-from", tmp_path / "turn.json", "--from-stage", "grounding")
    assert "1 of 1 redriven" in sent.stdout
    await until("the letter has left the list", lambda: _is_gone(kafka, tenant))
    async with arrived(kafka, topics.turns("grounding", "interactive")) as records:
        (back,) = [found for found in records if found.headers.get(headers.REDRIVEN_FROM) == letter]
    assert Turn.FromString(back.value or b"").prepared.model == "another"
    shown = await run(kafka, "show", letter)
    assert "redriven on" in shown.stdout
    assert "repaired" in shown.stdout
    again = await run(kafka, "redrive", letter)
    assert again.exit_code == 1
    assert "was redriven on" in again.stderr


async def test_letters_that_stay_are_told_by_the_reason(kafka: str, tenant: str) -> None:
    await bury(kafka, tenant, *[Invalid("no such model")] * 7)
    refused = await run(kafka, "redrive", "--tenant", tenant, "--from-stage", "output")
    assert refused.exit_code == 4
    assert "0 of 7 redriven, 7 refused" in refused.stdout
    assert "and 2 more: the turn never got beyond inference" in refused.stderr


async def test_a_rate_is_kept(kafka: str, tenant: str) -> None:
    await bury(kafka, tenant, *[Invalid("no such model")] * 12)
    begun = time.monotonic()
    assert (await run(kafka, "redrive", "--tenant", tenant, "--rate", "8/s")).exit_code == 0
    assert time.monotonic() - begun > 10 / 8


async def test_an_older_document_never_undoes_a_newer_one(kafka: str, tenant: str) -> None:
    def document(content: str) -> bytes:
        return KnowledgeDocument(document_id="d", tenant=tenant, content=content).SerializeToString()

    key = f"{tenant}/default/d"
    await publish(kafka, [Outgoing(topics.KNOWLEDGE, key, None, raw=document(words)) for words in ("old", "new")])
    async with arrived(kafka, topics.KNOWLEDGE) as records:
        old, new = [found for found in records if found.key_text == key]
    await publish(kafka, [dead(record, stage="knowledge") for record in (old, new)])
    first, second = await ids(kafka, tenant)
    outcome = json.loads((await run(kafka, "redrive", first, second, "--json")).stdout)
    assert [each["id"] for each in outcome["redriven"]] == [second]
    assert [each["id"] for each in outcome["refused"]] == [first]
    assert "newer" in outcome["refused"][0]["reason"]


async def test_purging_asks_first(kafka: str, tenant: str) -> None:
    await bury(kafka, tenant, Invalid("no such model"))
    asked = await run(kafka, "purge", "--tenant", tenant)
    assert asked.exit_code == 2
    assert "say --yes" in asked.stderr
    assert len(await ids(kafka, tenant)) == 1
    assert "1 purged" in (await run(kafka, "purge", "--tenant", tenant, "--yes")).stdout
    await until("the letter has left the list", lambda: _is_gone(kafka, tenant))
    assert (await run(kafka, "list", "--tenant", tenant)).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["redrive"], "which?"),
        (["purge"], "which?"),
        (["redrive", "k7mq", "--stage", "safety"], "not both"),
        (["redrive", "--stage", "safety", "--value", "pyproject.toml"], "mend one letter"),
        (["redrive", "k7mq", "--from-stage", "nowhere"], "use one of preprocessing, grounding"),
        (["redrive", "k7mq", "--rate", "fast"], "no rate"),
        (["list", "--since", "soon"], "no moment"),
    ],
)
async def test_a_wrong_command_line_says_what_would_be_right(arguments: list[str], told: str) -> None:
    result = await run("127.0.0.1:1", *arguments)
    assert result.exit_code == 2
    assert told in result.stderr


async def test_no_broker_is_no_traceback() -> None:
    result = await run("127.0.0.1:1", "list")
    assert result.exit_code == 3
    assert "no broker answers at 127.0.0.1:1" in result.stderr


async def _is_gone(kafka: str, tenant: str) -> bool:
    return await ids(kafka, tenant) == []
