"""`headrace cache` on a real Valkey."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
import redis.asyncio
import typer
from typer.testing import CliRunner, Result

from headrace.cli import cache
from headrace.stores.answers import AnswerKey, answer_key, count
from headrace.stores.redis import connect

pytestmark = pytest.mark.integration

Run = Callable[..., Result]
# A tenant may be called anything, and must not choose another's answers by it.
ANSWERS = [
    AnswerKey("acme", "m", "1"),
    AnswerKey("acme", "m", "2"),
    AnswerKey("acme", "n", "3"),
    AnswerKey("*", "m", "4"),
    AnswerKey("a:b", "m", "5"),
]


@pytest.fixture
async def client(valkey: str) -> AsyncIterator[redis.asyncio.Redis]:
    client = connect(valkey)
    await client.flushdb()
    for answer in ANSWERS:
        await client.set(answer_key(answer), b"x" * 1000)
    for outcome in ("miss", "miss", "hit", "joined"):
        await count(client, ANSWERS[0], outcome)
    await client.set("headrace:making:{acme:m:1}", b"1")
    yield client
    await client.aclose()


@pytest.fixture
def run(valkey: str) -> Run:
    root = typer.Typer()
    root.callback()(lambda: None)
    cache.register(root)

    def invoke(*arguments: str, url: str = valkey) -> Result:
        return CliRunner().invoke(root, ["cache", *arguments], env={"HEADRACE_REDIS_URL": url})

    return invoke


async def left(client: redis.asyncio.Redis) -> set[str]:
    return {name.decode().rpartition(":")[2].rstrip("}") async for name in client.scan_iter("headrace:answer:*")}


@pytest.mark.usefixtures("client")
async def test_stats_count_by_tenant_and_model(run: Run) -> None:
    result = await asyncio.to_thread(run, "stats", "--json")
    assert result.exit_code == 0, result.output
    groups = {(group["tenant"], group["model"]): group for group in json.loads(result.stdout)}
    assert set(groups) == {("acme", "m"), ("acme", "n"), ("*", "m"), ("a:b", "m")}
    ours = groups["acme", "m"]
    assert (ours["answers"], ours["hits"], ours["joined"], ours["misses"], ours["hit_rate"]) == (2, 1, 1, 2, 0.5)
    assert 2000 <= ours["bytes"] <= 3000
    assert groups["acme", "n"]["hit_rate"] is None
    shown = await asyncio.to_thread(run, "stats", "--tenant", "acme", "--model", "m")
    assert "50%" in shown.stdout
    assert "a:b" not in shown.stdout


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        (("--tenant", "acme"), {"4", "5"}),
        (("--tenant", "*"), {"1", "2", "3", "5"}),
        (("--tenant", "a"), {"1", "2", "3", "4", "5"}),
        (("--model", "m"), {"3"}),
        (("--tenant", "acme", "--model", "n"), {"1", "2", "4", "5"}),
        (("--all",), set()),
    ],
)
async def test_what_is_chosen_is_cleared_and_nothing_else(
    client: redis.asyncio.Redis, run: Run, chosen: tuple[str, ...], kept: set[str]
) -> None:
    every = {answer.digest for answer in ANSWERS}
    told = await asyncio.to_thread(run, "clear", *chosen, "--dry-run", "--json")
    assert json.loads(told.stdout) == {"found": len(every - kept), "cleared": 0}
    assert await left(client) == every
    result = await asyncio.to_thread(run, "clear", *chosen, "--yes", "--json")
    assert json.loads(result.stdout) == {"found": len(every - kept), "cleared": len(every - kept)}
    assert await left(client) == kept
    assert await client.exists("headrace:making:{acme:m:1}")


async def test_nothing_is_cleared_unasked(client: redis.asyncio.Redis, run: Run) -> None:
    unsure = await asyncio.to_thread(run, "clear", "--all")
    assert unsure.exit_code == 2
    assert "say --yes" in unsure.stderr
    assert (await asyncio.to_thread(run, "clear", "--yes")).exit_code == 2
    assert (await asyncio.to_thread(run, "clear", "--all", "--tenant", "acme", "--yes")).exit_code == 2
    assert len(await left(client)) == len(ANSWERS)


@pytest.mark.parametrize(("url", "status"), [("redis://127.0.0.1:1/0", 3), ("nonsense", 2), ("", 3)])
def test_a_cache_that_cannot_be_reached_is_said(run: Run, url: str, status: int) -> None:
    for command in (("stats",), ("clear", "--all", "--yes")):
        result = run(*command, url=url)
        assert result.exit_code == status
        assert "Redis" in result.stderr
