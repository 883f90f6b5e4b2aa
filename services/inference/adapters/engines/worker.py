"""The process of a core: reads commands, steps, writes events. It ends when its parent does."""

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from typing import assert_never

from services.inference.adapters.engines.core import ClassifyingCore, Core, EmbeddingCore, WritingCore, open_core
from services.inference.adapters.engines.wire import (
    COMMAND,
    EVENT,
    Add,
    Cancel,
    Classify,
    Command,
    Embed,
    Event,
    Failed,
    Ready,
    Score,
    Start,
)

_CHUNK = 1 << 16


class Wire:
    """Lines over a socket; reading waits only when there is nothing else to do."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""

    def receive(self, *, wait: bool) -> Iterator[Command]:
        """What has come in; `EOFError` when the parent is gone."""
        while wait or select.select([self._sock], [], [], 0)[0]:
            wait = False
            data = self._sock.recv(_CHUNK)
            if not data:
                raise EOFError
            *lines, self._buffer = (self._buffer + data).split(b"\n")
            wait = not lines
            yield from map(COMMAND.validate_json, lines)

    def send(self, events: Iterable[Event]) -> None:
        """Write the events; one system call for all of a step."""
        if lines := b"".join(EVENT.dump_json(event) + b"\n" for event in events):
            self._sock.sendall(lines)


def serve(wire: Wire) -> None:
    """Load the model that the first line names, then step until the parent is gone."""
    (start,) = wire.receive(wait=True)
    if not isinstance(start, Start):
        raise TypeError("the first line must start the core")
    before = time.monotonic()
    try:
        core = open_core(start, threads=threads(start))
    except Exception as exc:  # noqa: BLE001 - whatever a library raises while loading is for the parent to tell
        wire.send([Failed("", f"{type(exc).__name__}: {exc}")])
        return
    labels = core.labels if isinstance(core, ClassifyingCore) else ()
    wire.send([Ready(time.monotonic() - before, core.device, labels)])
    while True:
        for command in wire.receive(wait=not core.busy):
            wire.send(_obey(core, command))
        if core.busy:
            wire.send(core.step())


def threads(start: Start) -> int:
    """As many as the spec says, else all that this process may use; libraries that guess take one, or the host's."""
    return start.spec.resources.threads or len(os.sched_getaffinity(0))


def _obey(core: Core, command: Command) -> Iterator[Event]:
    request_id = ""
    try:
        match command:
            case Add(request_id):
                _writing(core).add(command)
            case Score(request_id):
                _writing(core).score(command)
            case Classify(request_id):
                _classifying(core).classify(command)
            case Embed(request_id):
                _embedding(core).embed(command)
            case Cancel(request_id):
                core.cancel(request_id)
            case Start():
                raise ValueError("a core starts once")
            case never:
                assert_never(never)
    except Exception as exc:  # noqa: BLE001 - one bad request must not take the others with it
        yield Failed(request_id, f"{type(exc).__name__}: {exc}")


def _writing(core: Core) -> WritingCore:
    if not isinstance(core, WritingCore):
        raise TypeError("this model classifies, it writes nothing")
    return core


def _classifying(core: Core) -> ClassifyingCore:
    if not isinstance(core, ClassifyingCore):
        raise TypeError("this model has no classes of its own")
    return core


def _embedding(core: Core) -> EmbeddingCore:
    if not isinstance(core, EmbeddingCore):
        raise TypeError("this model makes no vectors")
    return core


def main() -> None:
    """Serve on the socket whose descriptor is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a drain needs the core until its parent has finished
    with contextlib.suppress(EOFError, ConnectionError):
        serve(Wire(socket.socket(fileno=int(sys.argv[1]))))
    sys.stdout.flush()
    os._exit(0)  # native threads of a library may hang in their destructors; there is nothing left to save


if __name__ == "__main__":
    main()
