"""The injection classifier while the service runs: trained at the first start, loaded at every start."""

import asyncio
import sys
from typing import Final

import structlog

from headrace.messaging.errors import Fatal
from services.safety.adapters.injection_head import InjectionHead
from services.safety.adapters.injection_source import Head, head_path

log = structlog.get_logger()

_TRAINING: Final = "services.safety.adapters.injection_training"


class InjectionModel:
    """Scores texts once it is warm; asked before, it raises, so that nothing passes unjudged."""

    def __init__(self, kind: Head) -> None:
        self._kind = kind
        self._head: InjectionHead | None = None

    async def warm_up(self, training_seconds: float) -> None:
        """Load the head, after training it in a process of its own where there is none."""
        path = head_path(self._kind)
        if not path.is_file():
            log.info("training a head", head=self._kind, once=True)
            await _train(self._kind, training_seconds)
        self._head = InjectionHead.load(path)
        log.info("head loaded", head=self._kind, digest=self._head.digest)

    def __call__(self, text: str) -> float:
        if self._head is None:
            raise Fatal(f"the {self._kind} head is not loaded: the service was asked before it had started")
        return self._head(text)


async def _train(kind: Head, seconds: float) -> None:
    command = (sys.executable, "-m", _TRAINING, kind)
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(seconds):
            _, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Fatal(
            f"training the {kind} head took longer than {seconds:g} s: run `python -m {_TRAINING}` once by hand, "
            "or raise HEADRACE_SAFETY_TRAINING_SECONDS"
        ) from None
    if process.returncode != 0:
        reason = (errors.decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]
        raise Fatal(f"the {kind} head could not be trained ({reason}): `python -m {_TRAINING} {kind}` shows all of it")
