"""A whole stack as a user starts it, `headrace up`, and what a test may ask of it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
from websockets.asyncio.client import ClientConnection, connect

from headrace.embedded import state
from headrace.embedded.ports import free_port

ROOT = Path(__file__).parents[2]
START_S = 600.0

LEAKY = "Here is what I know. The address is john.roe@elsewhere.test and so on. There is more to say."
# A policy that hands some questions to a person.
WATCHED = """
name: watched
version: "1"
rules:
  - {name: people, kind: pii, direction: input, action: mask, entities: [EMAIL]}
  - {name: in-need, kind: terms, direction: input, action: route, terms: [end it all], message: A person will look.}
"""


@dataclass
class Stack:
    """A running stack."""

    process: "subprocess.Popen[bytes]"
    data: Path
    port: int
    infra: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def state(self) -> dict[str, Any]:
        return state.read(self.data) or {}

    @property
    def environment(self) -> dict[str, str]:
        """For a command that a user types beside the stack."""
        return {**os.environ, **self.state["environment"], "HEADRACE_DATA_DIR": str(self.data),
                "HEADRACE_INFRA_DIR": str(self.infra)}  # fmt: skip

    @property
    def bootstrap(self) -> str:
        return str(self.state["environment"]["HEADRACE_KAFKA_BOOTSTRAP"])

    def part(self, name: str) -> dict[str, Any]:
        return next(part for part in self.state["parts"] if part["name"] == name)

    def run(self, *arguments: str, timeout_s: float = 180.0) -> "subprocess.CompletedProcess[str]":
        """A `headrace` command."""
        command = [sys.executable, "-m", "headrace.cli.main", *arguments]
        return subprocess.run(
            command, env=self.environment, cwd=ROOT, timeout=timeout_s, capture_output=True, text=True, check=False
        )

    @asynccontextmanager
    async def socket(self) -> AsyncIterator["Socket"]:
        async with connect(f"ws://127.0.0.1:{self.port}/v1/chat/ws", max_size=None) as connection:
            yield Socket(connection)


@dataclass
class Socket:
    """A plain websocket client."""

    connection: ClientConnection

    async def send(self, frame: dict[str, Any] | str | bytes) -> None:
        await self.connection.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def next(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await self.connection.recv())
        return frame

    async def ask(self, text: str, **fields: Any) -> str:
        turn = str(uuid4())
        await self.send({"type": "ask", "id": turn, "text": text, **fields})
        return turn

    async def until_end(self, turn: str) -> list[dict[str, Any]]:
        """Every frame of a turn up to its `done` or `error`."""
        frames: list[dict[str, Any]] = []
        while not frames or frames[-1]["type"] not in {"done", "error"}:
            frame = await self.next()
            if frame.get("id") == turn:
                frames.append(frame)
        return frames


def reachable(port: int) -> bool:
    """Whether something listens."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def text_of(frames: list[dict[str, Any]]) -> str:
    """The text that a client shows: what came after the last `restarted`, in the order of `seq`, without gaps."""
    deltas: list[dict[str, Any]] = []
    for frame in frames:
        if frame["type"] == "restarted":
            deltas = []
        elif frame["type"] == "delta":
            deltas.append(frame)
    assert [delta["seq"] for delta in deltas] == list(range(len(deltas))), "deltas missing, repeated or out of order"
    return "".join(delta["text"] for delta in deltas)


def start(folder: Path, scratch: Path) -> Stack:
    """`headrace up`, with models of the tests' own beside the shipped ones."""
    infra = folder / "infra"
    shutil.copytree(ROOT / "infra", infra)
    mock = (infra / "models" / "mock.yaml").read_text(encoding="utf-8")
    head, _, tail = mock.partition("  text: >-")
    rest = tail[tail.index("  delay_ms:") :]
    for name, text, delay_ms in (("leaky", LEAKY, 10), ("slow", " ".join(f"word{n}." for n in range(60)), 100)):
        told = f"{head}  text: {text}\n{rest}".replace("name: mock", f"name: {name}").replace(
            "delay_ms: 10", f"delay_ms: {delay_ms}"
        )
        (infra / "models" / f"{name}.yaml").write_text(told, encoding="utf-8")
    chat = (infra / "pipelines" / "chat.yaml").read_text(encoding="utf-8")
    watched = chat.replace("name: chat", "name: watched").replace("policy: default", "policy: watched")
    (infra / "pipelines" / "watched.yaml").write_text(watched, encoding="utf-8")
    (infra / "policies" / "watched.yaml").write_text(WATCHED, encoding="utf-8")
    data, port = folder / "data", free_port()
    environment = {**os.environ, "HEADRACE_DATA_DIR": str(data), "HEADRACE_INFRA_DIR": str(infra),
                   # Fifty questions at once are asked here on purpose.
                   "HEADRACE_GATEWAY_MIN_WAITING": "64",
                   "TMPDIR": str(scratch)}  # fmt: skip
    command = [sys.executable, "-m", "headrace.cli.main", "up", "--port", str(port), "--json"]
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    stack = Stack(process, data, port, infra)
    give_up = time.monotonic() + START_S
    while not stack.state.get("ready"):
        if process.poll() is not None or time.monotonic() > give_up:
            stop(stack)
            raise AssertionError(f"the stack did not start:\n{(folder / 'up.log').read_text(encoding='utf-8')[-4000:]}")
        time.sleep(0.2)
    # What a newcomer need not wait for; here it would be in the way of what is measured.
    while stack.part("classifiers")["state"] != "ready":
        assert time.monotonic() < give_up, stack.part("classifiers")
        time.sleep(0.2)
    return stack


def left_behind(stack: Stack) -> list[str]:
    """What should be gone with the stack: its processes, its ports, its scratch folders."""
    found: list[str] = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        with suppress(psutil.Error):
            if process.environ().get("HEADRACE_DATA_DIR") == str(stack.data):
                found.append(f"process {process.pid}: {' '.join(process.info['cmdline'] or [])[:120]}")
    if reachable(stack.port):
        found.append(f"port {stack.port}")
    if (stack.data / state.STATE_FILE).exists():
        found.append(f"file {stack.data / state.STATE_FILE}")
    return found


def stop(stack: Stack) -> int:
    """Ctrl-C, and the exit code."""
    if stack.process.poll() is None:
        stack.process.send_signal(signal.SIGINT)
    return stack.process.wait(timeout=120)
