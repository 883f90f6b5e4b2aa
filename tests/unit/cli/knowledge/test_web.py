import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from headrace.cli.knowledge import web
from headrace.cli.knowledge.files import Found, Readable, Unreadable
from headrace.cli.knowledge.web import fetch
from headrace.documents.formats import MAX_FILE_BYTES

Answer = Callable[[httpx.Request], httpx.Response]
PAGE = b"<h1>Weirs</h1>"


async def fetched(answer: Answer, url: str = "https://example.org/weir.html") -> Readable | Unreadable:
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), follow_redirects=True) as http:
        return await fetch(Found(url, "id"), http)


@pytest.mark.parametrize(
    ("url", "said", "content_type"),
    [
        ("https://example.org/weir", "text/html; charset=utf-8", "text/html"),
        ("https://example.org/weir.pdf", "application/octet-stream", "application/pdf"),
        ("https://example.org/README.md", "text/plain", "text/markdown"),
        ("https://example.org/notes", "text/plain", "text/plain"),
    ],
)
async def test_a_document_is_what_its_server_says_or_its_ending_where_the_server_knows_no_better(
    url: str, said: str, content_type: str
) -> None:
    found = await fetched(lambda _: httpx.Response(200, content=PAGE, headers={"content-type": said}), url)
    assert isinstance(found, Readable)
    assert (found.content_type, found.data) == (content_type, PAGE)


def moved(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/old":
        return httpx.Response(301, headers={"location": "https://example.org/new.md"})
    headers = {"content-type": "text/plain", "last-modified": "Mon, 02 Nov 2026 10:00:00 GMT"}
    return httpx.Response(200, content=b"# Weir", headers=headers)


async def test_a_document_that_has_moved_is_followed_and_its_date_kept() -> None:
    found = await fetched(moved, "https://example.org/old")
    assert isinstance(found, Readable)
    assert (found.content_type, found.modified_s) == ("text/markdown", 1793613600.0)


def round_and_round(request: httpx.Request) -> httpx.Response:
    return httpx.Response(302, headers={"location": str(request.url)})


async def test_a_server_that_never_comes_to_an_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async def a_byte_at_a_time() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.01)

    monkeypatch.setattr(web, "_WHOLE_S", 0.1)
    headers = {"content-type": "text/plain"}
    found = await fetched(lambda _: httpx.Response(200, content=a_byte_at_a_time(), headers=headers))
    assert isinstance(found, Unreadable)
    assert "not there after" in found.reason


def broken(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def elsewhere(request: httpx.Request) -> httpx.Response:
    # What the real transport says of a redirect to file:///etc/passwd.
    raise httpx.UnsupportedProtocol("Request URL has an unsupported protocol 'file://'.", request=request)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda _: httpx.Response(404), "the server answers 404 (Not Found)"),
        (lambda _: httpx.Response(200, content=b"x", headers={"content-type": "image/png"}), "image/png"),
        (lambda _: httpx.Response(200, content=b" ", headers={"content-type": "text/html"}), "empty"),
        (lambda _: httpx.Response(200, content=b"\xff", headers={"content-type": "text/markdown"}), "not UTF-8"),
        (
            lambda _: httpx.Response(
                200, content=bytes(MAX_FILE_BYTES + 1), headers={"content-type": "application/pdf"}
            ),
            f"the limit is {MAX_FILE_BYTES}",
        ),
        (broken, "cannot be fetched (ConnectError)"),
        (round_and_round, "in a circle"),
        (elsewhere, "neither http nor https"),
    ],
)
async def test_what_cannot_be_fetched_says_why(answer: Answer, said: str) -> None:
    found = await fetched(answer)
    assert isinstance(found, Unreadable)
    assert said in found.reason
