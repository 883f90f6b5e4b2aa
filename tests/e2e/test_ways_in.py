"""The plain websocket and the batch of a file, on the whole stack with its real model."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.stack import ROOT, Stack, text_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


async def test_a_plain_websocket_gets_its_answer_as_a_stream(stack: Stack) -> None:
    async with stack.socket() as socket:
        turn = await socket.ask("What is the capital of France?", sampling={"temperature": 0})
        frames = await asyncio.wait_for(socket.until_end(turn), 120)
    done = frames[-1]
    assert frames[0]["type"] == "accepted"
    assert (done["type"], done["status"]) == ("done", "ANSWERED")
    assert text_of(frames) == done["text"]
    assert "Paris" in done["text"]
    assert len(done["trace_id"]) == 32
    assert done["usage"]["completion_tokens"] > 0


def test_classify_finishes_two_hundred_reviews_in_order(stack: Stack, tmp_path: Path) -> None:
    reviews = tmp_path / "reviews.jsonl"
    kinds = ("I love it, best purchase ever.", "Terrible, it broke after a day. Avoid.")
    rows = [json.dumps({"id": f"r{number}", "text": f"{kinds[number % 2]} ({number})"}) for number in range(200)]
    rows[7] = '{"id": "r7"'
    reviews.write_text("\n".join(rows) + "\n", encoding="utf-8")
    out = tmp_path / "out.jsonl"
    finished = stack.run("classify", str(reviews), "-o", str(out), "--json", timeout_s=600)
    results = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(results) >= 199, finished.stderr
    labelled = [result for result in results if result.get("label")]
    assert len(labelled) == 199
    assert [result["id"] for result in labelled] == [f"r{number}" for number in range(200) if number != 7]
    assert {result["label"] for result in labelled} <= {"positive", "negative"}
    assert "8" in finished.stdout + finished.stderr, "the bad row is named by its line"
    assert finished.returncode != 0


def test_a_table_that_is_broken_off_goes_on_where_it_was(stack: Stack, tmp_path: Path) -> None:
    rows = 1500
    reviews, out = tmp_path / "reviews.parquet", tmp_path / "out.parquet"
    texts = [("Lovely, I would buy it again.", "It broke after a day.")[number % 2] for number in range(rows)]
    pq.write_table(pa.table({"id": [f"r{number}" for number in range(rows)], "text": texts}), reviews)
    arguments = ("classify", str(reviews), "-o", str(out), "--json")
    # A shell that runs this in the background lets its children ignore Ctrl-C; a terminal does not.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "headrace.cli.main", *arguments]
    with subprocess.Popen(command, env=stack.environment, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        kept, give_up = tmp_path / "out.parquet.partial", time.monotonic() + 120
        while not kept.exists() or len(kept.read_bytes().splitlines()) < 50:
            assert time.monotonic() < give_up, "fifty results within two minutes"
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert not out.exists()
    finished = stack.run(*arguments, timeout_s=300)
    assert finished.returncode == 0, finished.stderr
    summary = json.loads(finished.stdout)
    assert summary["rows"] == rows
    assert 0 < summary["done_before"] < rows
    written = pq.read_table(out).to_pydict()
    assert written["id"] == [f"r{number}" for number in range(rows)]
    assert written["label"] == ["positive", "negative"] * (rows // 2)
    assert not kept.exists()


@pytest.mark.parametrize(
    ("option", "said"), [(("--model", "no-such"), "review-sentiment"), (("--pipeline", "no-such"), "reviews")]
)
def test_a_batch_that_asks_for_what_is_not_there_ends_at_once_and_says_what_is(
    stack: Stack, tmp_path: Path, option: tuple[str, str], said: str
) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "Lovely."}\n' * 100, encoding="utf-8")
    ended = stack.run("classify", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out.jsonl"), *option)
    assert ended.returncode == 2, ended.stderr
    assert "no-such" in ended.stderr
    assert said in ended.stderr, "what there is"
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]
