"""Conversions side by side, each in a process of its own: a document can end that process, and nothing else."""

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import asdict
from typing import Any, Final

from headrace.documents.converted import Converted
from headrace.documents.formats import ConvertedType
from headrace.documents.limits import Limits
from headrace.documents.worker import too_much
from headrace.messaging.errors import Fatal, Invalid, Retryable

# The start of the process, and a machine that is busy.
_GRACE_SECONDS: Final = 30.0
_AT_ONCE: Final = 2


class Conversion:
    """Converts at most `at_once` documents at a time."""

    def __init__(self, limits: Limits | None = None, *, at_once: int = _AT_ONCE) -> None:
        self._limits = limits or Limits()
        self._turn = asyncio.Semaphore(at_once)

    async def __call__(self, content_type: ConvertedType, data: bytes) -> Converted:
        """The document as Markdown; `Invalid` says what is wrong with it, in a sentence."""
        async with self._turn:
            reply = await self._reply(content_type, data)
        if missing := reply.get("missing"):
            raise Fatal(f"{missing} is not installed, and documents need it: pip install 'headrace[documents]'")
        if (refused := reply.get("refused")) is not None:
            raise Invalid(refused["message"], code=refused["code"], field=refused["field"])
        return Converted(**reply["converted"])

    async def _reply(self, content_type: ConvertedType, data: bytes) -> dict[str, Any]:
        task = json.dumps({"content_type": content_type, "limits": asdict(self._limits)}).encode()
        # The worker finds what its parent found.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "headrace.documents.worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment,
            )
        except OSError as exc:
            raise Retryable(f"no process could be started to read a document: {exc.strerror}") from exc
        try:
            async with asyncio.timeout(self._limits.seconds + _GRACE_SECONDS):
                out, _ = await process.communicate(task + b"\n" + data)
        except TimeoutError:
            out = b""
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if not out:
            raise Invalid(too_much(self._limits), code="too_large", field="content")
        reply: dict[str, Any] = json.loads(out)
        return reply
