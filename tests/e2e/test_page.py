"""The chat page on the whole stack, as a person uses it."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.browser import ChatPage, chat_page
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

MILL = "# Water mills\n\n## Headrace\n\nThe headrace is the channel that leads the water from the weir to the wheel.\n"
# The model `slow` of the stack says this, a word at a time, up to its token limit.
SLOW = " ".join(f"word{number}." for number in range(60))


async def choose(chat: ChatPage, model: str) -> None:
    await chat.page.locator(f"#model option[value={model}]").wait_for(state="attached")
    await chat.page.get_by_label("Model", exact=True).select_option(model)


async def test_a_question_is_answered_with_its_sources_and_its_trace_and_can_be_rated(
    stack: Stack, tmp_path: Path
) -> None:
    (tmp_path / "mills.md").write_text(MILL, encoding="utf-8")
    ingested = await asyncio.to_thread(stack.run, "ingest", str(tmp_path), "--wait")
    assert ingested.returncode == 0, ingested.stderr
    async with chat_page() as chat:
        await chat.open(stack.url)
        await choose(chat, "mock")
        await chat.ask("What does the headrace of a water mill do?")
        await chat.state("running", timeout_ms=60_000)
        await chat.state("done", timeout_ms=60_000)
        assert "brings the water to the turbine" in await chat.text()
        await chat.turn().locator(".sources li", has_text="Water mills").wait_for()
        await chat.turn().get_by_role("button", name="Where the time went").click()
        for stage in ("prompts", "grounding", "safety", "inference", "output", "postprocessing"):
            await chat.turn().get_by_role("rowheader", name=f"process {stage}").wait_for()
        await chat.turn().get_by_role("button", name="Good answer").click()
        await chat.turn().get_by_role("radio", name="4 stars").check()
        await chat.turn().get_by_label("Comment on this answer").fill("clear and short")
        await chat.turn().get_by_role("button", name="Send feedback").click()
        await chat.turn().get_by_role("status").get_by_text("Thank you.").wait_for()
        assert not chat.errors


async def test_an_answer_streams_and_survives_a_lost_network_and_a_reload(stack: Stack) -> None:
    async with chat_page() as chat:
        await chat.open(stack.url)
        await choose(chat, "slow")
        await chat.ask("Count for me, please.")
        await chat.shown("word3.", timeout_ms=60_000)
        early = await chat.text()
        assert "word50." not in early, "the answer came at once instead of streaming"
        await chat.page.context.set_offline(True)
        await chat.page.wait_for_selector("[data-connection=offline]")
        # Long enough for the pieces of that time to be missed.
        await chat.page.wait_for_timeout(1000)
        await chat.page.context.set_offline(False)
        await chat.shown("word20.")
        await chat.page.reload()
        await chat.state("done", timeout_ms=60_000)
        shown = " ".join((await chat.text()).split())
        assert "word30." in shown
        assert SLOW.startswith(shown), "something is missing or repeated"
        assert not [error for error in chat.errors if "differs" in error]


async def test_escape_frees_the_model(stack: Stack) -> None:
    async with chat_page() as chat:
        await chat.open(stack.url)
        await choose(chat, "slow")
        await chat.ask("Count for me once more.")
        await chat.shown("word2.", timeout_ms=60_000)
        await chat.page.keyboard.press("Escape")
        await chat.turn().locator(".ending", has_text="Stopped.").wait_for()
        assert "word59." not in await chat.text()
