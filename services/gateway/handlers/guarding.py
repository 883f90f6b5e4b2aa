"""What every HTTP request passes: whose page sent it, and what the browser may do with the answer."""

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.domain.origins import allowed

# Everything from here, nothing inline: a text that got into the page by mistake still cannot act.
_PROTECTION: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Refuses requests that act and come from another origin's page; adds the headers that protect ours."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an HTTP request on, or refuse it; websockets check their origin themselves."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _PROTECTION.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        if scope["method"] not in _HARMLESS and not allowed(
            headers.get("origin"), headers.get("host", ""), self._origins
        ):
            refusal = PlainTextResponse(
                "this page's origin may not use the gateway: list it in HEADRACE_GATEWAY_ALLOWED_ORIGINS\n", 403
            )
            await refusal(scope, receive, protected)
            return
        await self._app(scope, receive, protected)
