"""The client for programs that await."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, suppress
from typing import Any, Final, Self

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, InvalidURI, WebSocketException

from headrace.client.answers import Answer, Event, Sampling
from headrace.client.classified import Asked, Classified, Labels, broker, classify_each
from headrace.client.following import Following, NotYet, error_of
from headrace.messaging.errors import Fatal, Invalid, Retryable

GATEWAY: Final = "http://127.0.0.1:8080"
_PATH: Final = "/v1/chat/ws"
_OPEN_S: Final = 10.0
# For the other side's word; one that is gone says none.
_CLOSE_S: Final = 1.0
# Beyond the time that was asked for: the gateway says `EXPIRED` itself.
_GRACE_S: Final = 5.0
# The gateway gives up a turn after three minutes without a word.
_LONGEST_S: Final = 200.0
_FIRST_REST_S, _LONGEST_REST_S = 0.1, 2.0
_BUSY: Final = 503


class AsyncClient:
    """Reaches a gateway by websocket, and Kafka to classify.

    async with AsyncClient() as client:
        async for event in client.stream("What is a log?"):
            if isinstance(event, Text):
                print(event.text, end="")

    A connection that is cut is made anew, and the answer goes on where it was, at whichever gateway answers there.
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8080", *, kafka: str | None = None, tenant: str = "default"
    ) -> None:
        scheme, _, rest = url.rstrip("/").partition("://")
        if scheme not in {"http", "https", "ws", "wss"} or not rest:
            raise Invalid(f"{url!r} is no address of a gateway: write it like http://127.0.0.1:8080", field="url")
        self._url = f"{'wss' if scheme in {'https', 'wss'} else 'ws'}://{rest}{_PATH}"
        self._kafka = kafka
        self._tenant = tenant

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Nothing stays open between two questions."""

    async def ask(self, text: str, **options: Any) -> Answer:
        """The whole answer; options are those of `stream`."""
        async with aclosing(self.stream(text, **options)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event
        raise AssertionError("a stream ended without an answer")

    async def stream(
        self,
        text: str,
        *,
        conversation: str = "",
        turn_id: str = "",
        model: str = "",
        pipeline: str = "",
        user: str = "",
        sampling: Sampling | None = None,
        timeout_s: float | None = None,
    ) -> AsyncGenerator[Event, None]:
        """What is told while it is answered; the last event is the `Answer`.

        `conversation` joins questions, each knowing those before it. `turn_id` is a UUID: asked again, it is resumed
        and never run twice. Whoever leaves before the end cancels the turn. `timeout_s` is how long an answer is of
        use: what cannot be answered within is refused at once (`Retryable`), what takes longer ends as EXPIRED.
        """
        frame: dict[str, Any] = {"type": "ask", "id": turn_id or str(uuid.uuid4()), "text": text}
        named = {"conversation": conversation, "model": model, "pipeline": pipeline, "user": user}
        frame |= {name: value for name, value in named.items() if value}
        if sampling and (asked := sampling.as_frame()):
            frame["sampling"] = asked
        if timeout_s is not None:
            frame["timeout_ms"] = max(1, round(timeout_s * 1000))
        give_up = asyncio.get_running_loop().time() + (_LONGEST_S if timeout_s is None else timeout_s + _GRACE_S)
        async with aclosing(self._follow(Following(frame), give_up)) as events:
            async for event in events:
                yield event

    async def feedback(
        self,
        turn_id: str,
        rating: int,
        *,
        scale: str = "thumbs",
        comment: str = "",
        correction: str = "",
        reasons: Iterable[str] = (),
        consent_to_train: bool = False,
        user: str = "",
        feedback_id: str = "",
    ) -> str:
        """Rate an answer: -1 or 1, or 1 to 5 on the scale "stars".

        Returns the id of the rating, which changes it when it is given again. `reasons` are what it is about: accuracy,
        completeness, relevance, sources, style, speed, safety. Only with `consent_to_train` may it be learned from.
        """
        feedback_id = feedback_id or str(uuid.uuid4())
        frame: dict[str, Any] = {"type": "feedback", "id": turn_id, "rating": rating, "feedback_id": feedback_id}
        named = {"scale": scale, "comment": comment, "correction": correction, "user": user, "reasons": list(reasons)}
        frame |= {name: value for name, value in named.items() if value}
        if consent_to_train:
            frame["consent_to_train"] = True
        with suppress(WebSocketException, OSError, TimeoutError):
            async with await self._open() as socket, asyncio.timeout(_OPEN_S):
                await _send(socket, frame)
                async for raw in socket:
                    told = orjson.loads(raw)
                    if told["type"] == "error":
                        raise error_of(told)
                    if told["type"] == "notice" and told.get("id") == turn_id:
                        return feedback_id
        raise Retryable("nobody said that the rating was taken: rate again with the same feedback_id")

    async def classify(self, texts: Iterable[str], labels: Labels = (), **options: Any) -> list[Classified]:
        """A class for each text, in their order; options are those of `classify_each`."""
        found = [each async for each in self.classify_each(texts, labels, **options)]
        return sorted(found, key=lambda each: each.index)

    def classify_each(
        self, texts: Iterable[str], labels: Labels = (), *, model: str = "", pipeline: str = "", patience_s: float = 120
    ) -> AsyncIterator[Classified]:
        """A class for each text as it comes, sentiment without labels; `Retryable` after so long without any."""
        how = Asked(tenant=self._tenant, model=model, pipeline=pipeline, patience_s=patience_s)
        return classify_each(broker(self._kafka), texts, labels, how)

    async def _follow(self, turn: Following, give_up: float) -> AsyncGenerator[Event, None]:
        socket, rest_s = await self._open(), _FIRST_REST_S
        told_all = False
        try:
            while True:
                with suppress(WebSocketException, OSError, NotYet):
                    await _send(socket, turn.opening())
                    async for frame in _frames(socket, give_up):
                        for event in turn.take(frame):
                            told_all = isinstance(event, Answer)
                            yield event
                            if told_all:
                                return
                        rest_s = _FIRST_REST_S
                await socket.close()
                socket, rest_s = await self._again(give_up, rest_s)
        except (Invalid, Retryable):
            told_all = True
            raise
        finally:
            if not told_all:
                with suppress(WebSocketException, OSError, TimeoutError):
                    async with asyncio.timeout(1):
                        await _send(socket, {"type": "cancel", "id": turn.turn_id})
            await socket.close()

    async def _again(self, give_up: float, rest_s: float) -> tuple[ClientConnection, float]:
        """A new connection, however often it takes within the time."""
        while asyncio.get_running_loop().time() + rest_s < give_up:
            await asyncio.sleep(rest_s)
            rest_s = min(rest_s * 2, _LONGEST_REST_S)
            with suppress(Fatal, Retryable):
                return await self._open(), rest_s
        raise Retryable("the connection was cut and no gateway came back in time: ask again with the same turn_id")

    async def _open(self) -> ClientConnection:
        try:
            return await connect(self._url, max_size=None, open_timeout=_OPEN_S, close_timeout=_CLOSE_S)
        except InvalidURI as exc:
            raise Invalid(f"{self._url} is no address of a gateway", field="url") from exc
        except InvalidStatus as exc:
            if exc.response.status_code == _BUSY:
                after = exc.response.headers.get("retry-after", "1")
                raise Retryable(
                    "as many connections are open as may be: ask again", retry_after_ms=int(after) * 1000
                ) from exc
            raise Fatal(f"{self._url} answers with status {exc.response.status_code}: is it a gateway?") from exc
        except (OSError, TimeoutError, WebSocketException) as exc:
            raise Fatal(f"no gateway answers at {self._url}: start `headrace up`, or correct the address") from exc


async def _send(socket: ClientConnection, frame: Any) -> None:
    await socket.send(orjson.dumps(frame).decode())


async def _frames(socket: ClientConnection, give_up: float) -> AsyncIterator[dict[str, Any]]:
    """What comes over this connection until it is closed; `Retryable` when it takes too long."""
    while True:
        try:
            async with asyncio.timeout_at(give_up):
                raw = await socket.recv()
        except TimeoutError:
            raise Retryable("no answer within the time: ask again with the same turn_id, or with more time") from None
        yield orjson.loads(raw)
