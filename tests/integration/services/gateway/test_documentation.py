"""The pages of the contracts in a browser, behind the same protection as the chat page."""

import pytest

from tests.e2e.browser import chat_page
from tests.integration.services.gateway.conftest import World

pytestmark = [pytest.mark.integration, pytest.mark.parametrize("bootstrap", [""], ids=["memory"])]


async def test_the_http_api_is_shown(world: World) -> None:
    address = await world.gateway()
    async with chat_page() as browser:
        await browser.page.goto(f"http://{address}/docs")
        await browser.page.get_by_text("Answer a conversation, whole or as a stream").click(timeout=20_000)
        await browser.page.get_by_text("What is the capital of France?").first.wait_for()
        assert not browser.errors


async def test_the_topics_are_shown(world: World) -> None:
    address = await world.gateway()
    async with chat_page() as browser:
        await browser.page.goto(f"http://{address}/asyncapi")
        await browser.page.get_by_role("heading", name="headrace.prompts.v1").wait_for(timeout=20_000)
        await browser.page.get_by_role("link", name="PromptSubmitted").first.click()
        assert browser.page.url.endswith("#PromptSubmitted")
        assert await browser.page.get_by_role("row", name="turnId string UUID").count() == 1
        assert not browser.errors
