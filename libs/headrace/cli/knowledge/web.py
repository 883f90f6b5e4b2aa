"""Documents in the web: fetched whole, bounded in size and time."""

import asyncio
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

import httpx

from headrace.cli.knowledge.files import Found, Readable, Unreadable, checked, too_large
from headrace.documents.formats import BY_SUFFIX, MAX_FILE_BYTES, ContentType, content_type_of
from headrace.messaging.errors import Invalid

_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
# For all of it: a server that sends a byte a second would never be silent for long.
_WHOLE_S: Final = 300.0
# A server that knows no better says that a document is just bytes, or just text.
_UNTOLD: Final = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/plain"})


def client() -> httpx.AsyncClient:
    """What fetches; it follows where a document has moved to."""
    return httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=True, headers={"User-Agent": "headrace-ingest"})


async def fetch(found: Found, http: httpx.AsyncClient) -> Readable | Unreadable:
    """The document at an address, or why there is none."""
    data = bytearray()
    try:
        async with asyncio.timeout(_WHOLE_S), http.stream("GET", found.place) as response:
            if response.is_error:
                return _not(found, f"the server answers {response.status_code} ({response.reason_phrase})")
            content_type = _content_type(str(response.url), response.headers.get("content-type", ""))
            async for piece in response.aiter_bytes():
                data += piece
                if len(data) > MAX_FILE_BYTES:
                    return _not(found, too_large(len(data), MAX_FILE_BYTES).replace("bytes", "bytes and more"))
            modified_s = _modified(response.headers.get("last-modified", ""))
    except Invalid as exc:
        return _not(found, str(exc))
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as exc:
        return _not(found, _reason(exc))
    return checked(Readable(found.place, found.document_id, content_type, bytes(data), modified_s))


def _content_type(url: str, said: str) -> ContentType:
    """By what the server says, and where it says nothing in particular by the ending."""
    media_type = said.partition(";")[0].strip().lower()
    ending = BY_SUFFIX.get(PurePosixPath(urlsplit(url).path).suffix.lower())
    return ending if ending is not None and media_type in _UNTOLD else content_type_of(media_type)


def _reason(error: Exception) -> str:
    match error:
        case TimeoutError():
            return f"not there after {_WHOLE_S:.0f} s: fetch it by other means, and give the file"
        case httpx.TooManyRedirects():
            return "it leads in a circle: correct the address"
        case httpx.UnsupportedProtocol():
            return "it leads to what is neither http nor https: correct the address"
        case _:
            return f"it cannot be fetched ({type(error).__name__}): check the address and the network"


def _modified(said: str) -> float:
    try:
        return parsedate_to_datetime(said).timestamp()
    except ValueError:
        return 0.0


def _not(found: Found, reason: str) -> Unreadable:
    return Unreadable(found.place, found.document_id, reason)
