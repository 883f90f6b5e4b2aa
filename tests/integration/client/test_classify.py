"""`headrace classify` on a real broker, a word list in place of the services."""

import asyncio
import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from headrace.cli import classify
from headrace.messaging.kafka import MAX_MESSAGE_BYTES
from tests.fakes.classifier import Classifier

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, *rows: object) -> None:
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    (folder / "in.jsonl").write_bytes(b"\n".join(lines) + b"\n")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def results(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]


async def run(kafka: str, folder: Path, *options: str, file: str = "in.jsonl", out: str = "out.jsonl") -> Result:
    root = typer.Typer()
    root.callback()(lambda: None)
    classify.register(root)
    arguments = ["classify", str(folder / file), "-o", str(folder / out), *options]
    return await asyncio.to_thread(CliRunner().invoke, root, arguments, env={"HEADRACE_KAFKA_BOOTSTRAP": kafka})


async def test_two_hundred_reviews_come_back_in_the_order_of_the_file(kafka: str, folder: Path) -> None:
    words = ("positive", "negative")
    write(folder, *({"id": f"r{n}", "text": f"{words[n % 3 == 0]} {n}"} for n in range(200)))
    async with Classifier(at_once=50, times=2).on(kafka):
        result = await run(kafka, folder, "--json")
    assert result.exit_code == 0, result.output
    found = results(folder)
    assert [row["id"] for row in found] == [f"r{n}" for n in range(200)]
    assert [row["label"] for row in found] == [words[n % 3 == 0] for n in range(200)]
    assert found[0]["scores"] == {"positive": 0.25, "negative": 0.75}
    summary = json.loads(result.stdout)
    assert (summary["rows"], summary["labels"]) == (200, {"positive": 133, "negative": 67})
    assert summary["failed"] == []


async def test_bad_rows_are_named_by_their_line_and_the_rest_goes_on(kafka: str, folder: Path) -> None:
    write(
        folder, {"text": "positive"}, b'{"text": "caf\xe9"}', {"text": ""}, {"text": "unreadable"}, {"text": "negative"}
    )
    async with Classifier().on(kafka):
        result = await run(kafka, folder)
    assert result.exit_code == 4
    assert [(row["line"], row.get("label"), row.get("error", {}).get("code")) for row in results(folder)] == [
        (1, "positive", None),
        (2, None, "bad_row"),
        (3, None, "bad_row"),
        (4, None, "too_long"),
        (5, "negative", None),
    ]
    for line, reason in ((2, "not UTF-8"), (3, "'text' is empty"), (4, "text is too long")):
        assert f"line {line}: {reason}" in result.stderr


async def test_a_text_too_large_for_a_message_is_a_bad_row_too(kafka: str, folder: Path) -> None:
    # Its line is as long as a line may be; its message has an id as well.
    write(folder, {"text": "x" * (MAX_MESSAGE_BYTES - 16)}, {"text": "positive"})
    async with Classifier().on(kafka):
        result = await run(kafka, folder)
    assert result.exit_code == 4
    assert [row.get("error", {}).get("code") for row in results(folder)] == ["too_large", None]


async def test_classes_of_ones_own_reach_the_service(kafka: str, folder: Path) -> None:
    write(folder, {"text": "it came broken"})
    async with Classifier().on(kafka) as classifier:
        result = await run(kafka, folder, "--labels", "late=came after the day,broken", "--tenant", "acme")
    assert result.exit_code == 0, result.output
    assert results(folder)[0]["label"] == "broken"
    (review,) = classifier.seen
    assert [(label.name, label.description) for label in review.labels] == [
        ("late", "came after the day"),
        ("broken", ""),
    ]
    assert review.tenant == "acme"


async def test_a_file_classified_again_is_a_batch_of_its_own(kafka: str, folder: Path) -> None:
    """INVARIANT: an id of the file is no idempotency key: its text may have changed since."""
    write(folder, {"id": "r1", "text": "positive"})
    async with Classifier().on(kafka) as classifier:
        for _ in range(2):
            assert (await run(kafka, folder)).exit_code == 0
    first, second = classifier.seen
    assert first.review_id != second.review_id


async def test_an_empty_file_is_done_at_once(kafka: str, folder: Path) -> None:
    write(folder)
    result = await run(kafka, folder, "--json")
    assert result.exit_code == 0, result.output
    assert results(folder) == []


async def test_silence_is_an_error_that_says_where_to_look(kafka: str, folder: Path) -> None:
    write(folder, {"text": ""}, {"text": "positive"})
    result = await run(kafka, folder, "--wait-seconds", "1")
    assert result.exit_code == 1
    assert "no result for 1 s with 1 reviews under way" in result.stderr
    assert "headrace status" in result.stderr
    assert not (folder / "out.jsonl").exists()
    kept = " ".join(result.stderr.split())
    assert f"1 of 2 rows are in {folder / 'out.jsonl.partial'}: the same command goes on from there" in kept


async def test_a_run_that_was_cut_off_goes_on_and_does_no_row_twice(kafka: str, folder: Path) -> None:
    write(folder, {"text": ""}, *({"id": f"r{n}", "text": f"positive {n}"} for n in range(60)))
    async with Classifier(silent_after=20).on(kafka) as first:
        assert (await run(kafka, folder, "--wait-seconds", "1")).exit_code == 1
    async with Classifier().on(kafka) as second:
        result = await run(kafka, folder, "--json")
    assert result.exit_code == 4, result.output
    assert len(first.seen) == 60
    assert {review.review_id for review in second.seen} == {review.review_id for review in first.seen[20:]}
    assert [row["id"] for row in results(folder)] == [1, *(f"r{n}" for n in range(60))]
    summary = json.loads(result.stdout)
    assert (summary["rows"], summary["done_before"], summary["labels"]) == (61, 21, {"positive": 60})
    assert names(folder) == ["in.jsonl", "out.jsonl"]


async def test_what_was_answered_while_nobody_was_there_is_found_and_not_sent_again(kafka: str, folder: Path) -> None:
    write(folder, *({"text": f"positive {n}"} for n in range(30)))
    async with Classifier(silent_after=0).on(kafka) as classifier:
        assert (await run(kafka, folder, "--wait-seconds", "1")).exit_code == 1
        await classifier.speak()
        result = await run(kafka, folder)
        assert result.exit_code == 0, result.output
    assert len(classifier.seen) == 30
    assert [row["label"] for row in results(folder)] == ["positive"] * 30


async def test_other_options_do_not_go_on_from_it_unless_they_begin_anew(kafka: str, folder: Path) -> None:
    write(folder, {"text": "positive"})
    assert (await run(kafka, folder, "--wait-seconds", "1")).exit_code == 1
    refused = await run(kafka, folder, "--tenant", "acme")
    assert refused.exit_code == 1
    assert "something else (tenant)" in " ".join(refused.stderr.split())
    async with Classifier().on(kafka):
        assert (await run(kafka, folder, "--tenant", "acme", "--restart")).exit_code == 0


async def test_tables_go_in_and_come_out(kafka: str, folder: Path) -> None:
    (folder / "in.csv").write_text("nr;body\n7;positive\n8;\n9;negative\n", encoding="utf-8")
    fields = ("--text-field", "body", "--id-field", "nr")
    async with Classifier().on(kafka):
        result = await run(kafka, folder, *fields, file="in.csv", out="out.csv")
    assert result.exit_code == 4, result.output
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["line"], row["id"], row["label"]) for row in csv.DictReader(file)] == [
            ("2", "7", "positive"),
            ("3", "8", ""),
            ("4", "9", "negative"),
        ]


async def test_no_broker_is_said_at_once(folder: Path) -> None:
    write(folder, {"text": "positive"})
    result = await run("127.0.0.1:1", folder)
    assert result.exit_code == 3
    assert "no broker answers at 127.0.0.1:1" in result.stderr


async def test_the_output_is_never_the_input(folder: Path) -> None:
    write(folder, {"text": "positive"})
    (folder / "link.jsonl").symlink_to(folder / "in.jsonl")
    for out in ("in.jsonl", "link.jsonl"):
        result = await run("127.0.0.1:1", folder, out=out)
        assert result.exit_code == 2
        assert "name another --output" in result.stderr
    assert (folder / "in.jsonl").read_text(encoding="utf-8") == '{"text": "positive"}\n'


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("in.csv", b"", "is empty"),
        ("in.csv", b"review\ngood\n", "no column 'text'"),
        ("in.csv", b"\x1f\x8b\x08\x00\xff\n", "is it compressed"),
        ("in.parquet", b"PAR1 and no more", "cannot be read as Parquet"),
        ("in.jsonl", None, "no regular file"),
    ],
)
async def test_a_file_that_cannot_be_read_leaves_nothing_behind(
    folder: Path, name: str, content: bytes | None, says: str
) -> None:
    os.mkfifo(folder / name) if content is None else (folder / name).write_bytes(content)
    result = await run("127.0.0.1:1", folder, file=name)
    assert result.exit_code == 1
    assert says in " ".join(result.stderr.split())
    assert names(folder) == [name]


@pytest.mark.parametrize("labels", ["good", "good,Good", "a=x,a=y"])
async def test_one_class_is_no_choice(folder: Path, labels: str) -> None:
    write(folder, {"text": "positive"})
    result = await run("127.0.0.1:1", folder, "--labels", labels)
    assert result.exit_code == 2
    assert "at least 2 classes" in result.stderr
