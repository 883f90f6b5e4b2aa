"""A policy asked about texts, from outside of the service: `python -m services.safety.adapters.checking POLICY`.

A line of JSON in, a line of JSON out. The first line out says which policy it is and lists its examples; every line in
is `{"text": …, "side": "input" | "output" | "source", "sources": […], "ask": "judge" | "scores" | "cost"}`.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import structlog

from headrace.messaging.errors import HeadraceError, Invalid
from headrace.runtime.paths import infra_dir
from services.safety.adapters.models import Models
from services.safety.adapters.policies import detectors_for, load_policies, read_policy
from services.safety.adapters.prompts import instruction_texts
from services.safety.domain.findings import Detectors
from services.safety.domain.policy import Policy
from services.safety.domain.trying import findings, judged, scores
from services.safety.settings import Settings

_SIDES: Final = ("input", "output", "source")


def answers(policy: Policy, detectors: Detectors, asked: Iterable[str]) -> Iterator[dict[str, Any]]:
    """One answer for each line."""
    yield {"policy": policy.identity, "examples": [example.model_dump(mode="json") for example in policy.examples]}
    for line in asked:
        yield _answer(policy, detectors, json.loads(line))


def _answer(policy: Policy, detectors: Detectors, asked: Mapping[str, Any]) -> dict[str, Any]:
    text, side = asked["text"], asked.get("side", "input")
    if side not in _SIDES:
        raise Invalid(f"unknown side {side!r}: use one of {', '.join(_SIDES)}", field="side")
    if asked.get("ask") == "scores":
        return {"scores": scores(text, side, policy, detectors)}
    began = time.perf_counter()
    outcome, verdicts = judged(text, side, policy, detectors, asked.get("sources", ()))
    if asked.get("ask") == "cost":
        return {"seconds": time.perf_counter() - began}
    found = findings(text, side, policy, detectors)
    return {
        "outcome": outcome,
        "verdicts": [asdict(verdict) for verdict in verdicts],
        "findings": [{"rule": rule, **asdict(finding)} for rule, finding in found],
    }


def _policy(named: str) -> Policy:
    """By its name in `infra/policies`, or by the path of its file."""
    if named.endswith((".yaml", ".yml")):
        return read_policy(Path(named))
    policies = load_policies(infra_dir() / "policies")
    if named not in policies:
        raise Invalid(
            f"there is no policy {named!r} in infra/policies: use {', '.join(sorted(policies))}, or the path of a file "
            "that ends in .yaml"
        )
    return policies[named]


def main() -> None:
    """Answer until there are no more lines."""
    # Standard output is the answers'.
    structlog.configure(logger_factory=lambda *_arguments: structlog.PrintLogger(sys.stderr))
    settings = Settings()
    try:
        policy = _policy(sys.argv[1])
        models = Models(settings.names_model, instruction_texts(infra_dir() / "prompts"))
        asyncio.run(models.warm_up({policy.name: policy}, settings.training_seconds))
        for answer in answers(policy, detectors_for(policy, models.looks), sys.stdin):
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    except HeadraceError as exc:
        # One line: whoever asks shows the last.
        sys.stderr.write(" ".join(str(exc).split()) + "\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
