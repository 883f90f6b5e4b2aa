"""What an operator does with the running stack: feedback out, the cache seen and cleared, and its figures."""

import json
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from headrace.client import Client, Sampling
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def test_a_rating_becomes_an_example_to_train_on(stack: Stack, tmp_path: Path) -> None:
    user = f"zoe-{uuid.uuid4().hex[:8]}"
    better = f"Write to {user}@corp.test."
    with Client(stack.url) as client:
        answer = client.ask("Whom do I write to?", user=user)
        client.feedback(
            answer.turn_id, 2, scale="stars", reasons=["accuracy"], correction=better, consent_to_train=True, user=user
        )
    output = tmp_path / "train.jsonl"
    exported = until_exported(stack, output, "Write to <EMAIL_1>.")
    assert exported == {
        "messages": [
            {"role": "user", "content": "Whom do I write to?"},
            {"role": "assistant", "content": "Write to <EMAIL_1>."},
        ]
    }
    assert user not in output.read_text(encoding="utf-8")
    report = json.loads(stack.run("feedback", "report", "--json").stdout)
    assert any(row["corrections"] and row["reasons"].get("accuracy") and row["stars"]["2"] for row in report)


def until_exported(stack: Stack, output: Path, text: str) -> dict[str, Any]:
    """The example that holds the text, once feedback and turn have both arrived."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        stack.run("feedback", "export", "-o", str(output), "--format", "chat", "--since", "1h")
        lines = output.read_text(encoding="utf-8").splitlines() if output.exists() else []
        found: list[dict[str, Any]] = [json.loads(line) for line in lines if text in line]
        if found:
            return found[0]
    raise AssertionError(f"no example with {text!r} within a minute")


def test_the_cache_is_seen_and_cleared(stack: Stack) -> None:
    sampling = Sampling(max_tokens=8, seed=uuid.uuid4().int % 2**31)
    with Client(stack.url) as client:
        assert [client.ask("Say hello.", sampling=sampling).cached for _ in range(2)] == [False, True]
        asked = ("cache", "stats", "--tenant", "default", "--model", "smollm2-135m-instruct", "--json")
        (group,) = json.loads(stack.run(*asked).stdout)
        assert group["hits"] >= 1
        assert group["answers"] >= 1
        cleared = json.loads(stack.run("cache", "clear", "--tenant", "default", "--yes", "--json").stdout)
        assert cleared["cleared"] >= group["answers"]
        assert not client.ask("Say hello.", sampling=sampling).cached


def test_the_cache_never_gives_a_wrong_answer(stack: Stack) -> None:
    done = stack.run("eval", "cache", "--prompts", "3", "--asks", "6", "--json", timeout_s=300)
    assert done.returncode == 0, done.stderr
    rounds = {each["round"]: each for each in json.loads(done.stdout)["rounds"]}
    assert {each["wrong_hits"] for each in rounds.values()} == {0}
    assert (rounds["no cache"]["hits"], rounds["nearly the same"]["hits"]) == (0, 0)
    assert rounds["cache"]["hits"] == rounds["cache"]["repeated"] == 3
    assert rounds["8 at once"]["hits"] == 7
