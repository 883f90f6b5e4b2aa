"""The chat page in a real browser, driven as a person would."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Locator, Page, async_playwright


def chromium() -> str:
    """The machine's own Chromium; without one the test says so."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("no Chromium found: install the package chromium, or set CHROMIUM to one")
    return path


class ChatPage:
    """What a person does on the page; every script error on it fails the test."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)

    async def open(self, url: str) -> None:
        await self.page.goto(url)
        await self.page.wait_for_selector("[data-connection=open]")

    async def ask(self, question: str) -> None:
        await self.page.get_by_label("Your question").fill(question)
        await self.page.keyboard.press("Enter")

    def turn(self, number: int = 1) -> Locator:
        return self.page.locator(f"#turns > li:nth-child({number})")

    async def state(self, state: str, number: int = 1, timeout_ms: float = 20_000) -> None:
        await self.page.wait_for_selector(f"#turns > li:nth-child({number})[data-state={state}]", timeout=timeout_ms)

    async def shown(self, text: str, number: int = 1, timeout_ms: float = 20_000) -> None:
        await self.turn(number).locator(".text", has_text=text).wait_for(timeout=timeout_ms)

    async def text(self, number: int = 1) -> str:
        return await self.turn(number).locator(".text").inner_text()


@asynccontextmanager
async def chat_page() -> AsyncIterator[ChatPage]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium())
        try:
            yield ChatPage(await browser.new_page())
        finally:
            await browser.close()
