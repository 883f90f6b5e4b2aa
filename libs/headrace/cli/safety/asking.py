"""Asks a policy about texts, in a process of the safety service's code: the library never imports a service."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from headrace.messaging.errors import Fatal

_PROGRAM: Final = "services.safety.adapters.checking"
# Where nobody watches nothing is shown.
WAITING: Final = "asking the policy (the first time on a machine its models are fetched and trained: a minute)…"
_MISSING: Final = "ModuleNotFoundError"


class Checker:
    """One policy, ready to be asked. `identity` names its version; `examples` are those of its file."""

    def __init__(self, process: "subprocess.Popen[str]", errors: Any) -> None:
        self._process = process
        self._errors = errors
        told = self._answer()
        self.identity: str = told["policy"]
        self.examples: list[dict[str, Any]] = told["examples"]

    def judge(self, text: str, side: str = "input", sources: Iterable[str] = ()) -> dict[str, Any]:
        """`outcome` (cleared, warned, masked, refused, routed), `verdicts` and `findings`."""
        return self._ask({"text": text, "side": side, "sources": list(sources)})

    def cost(self, text: str, side: str = "input") -> float:
        """Seconds that the judgement took, without the way to it and back."""
        return float(self._ask({"text": text, "side": side, "ask": "cost"})["seconds"])

    def scores(self, text: str, side: str = "input") -> dict[str, float]:
        """How sure each classifier of attacks is, by its rule."""
        found: dict[str, float] = self._ask({"text": text, "side": side, "ask": "scores"})["scores"]
        return found

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        if self._process.stdin is None:
            raise Fatal("the policy's process takes no questions")
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Fatal(self._reason()) from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise Fatal(self._reason())
        found: dict[str, Any] = json.loads(line)
        return found

    def _reason(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().strip()
        last = said.splitlines()[-1] if said else "no reason given"
        if _MISSING in last:
            return f"the safety service is not installed here ({last}): pip install 'headrace[safety]'"
        return last


@contextmanager
def asking(policy: str) -> Iterator[Checker]:
    """A policy by its name in `infra/policies` or by its file; `Fatal` says what is wrong with it.

    The first time on a machine it trains the injection heads, which takes a minute.
    """
    command = [sys.executable, "-m", _PROGRAM, policy]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            yield Checker(process, errors)
        finally:
            # It ends when there is nothing more to be asked.
            if process.stdin:
                with suppress(BrokenPipeError):
                    process.stdin.close()
