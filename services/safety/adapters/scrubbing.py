"""Personal data and credentials masked in texts of others: `python -m services.safety.adapters.scrubbing`.

JSON by lines: a list of texts in, `{"texts": […], "masked": {kind: count}}` out, the same value by the same mask in all
of them. Every recogniser looks, whatever a policy would let pass: this is for texts that leave the house.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from headrace.models.registry import load_registry
from headrace.runtime.paths import infra_dir
from services.safety.adapters.names import NameModel
from services.safety.adapters.policies import detectors_for, load_policies
from services.safety.domain import credentials
from services.safety.domain.findings import Detectors, Finding, without_overlaps
from services.safety.domain.masking import Masks, masks_in
from services.safety.ports import Looks
from services.safety.settings import Settings


def scrub(texts: Sequence[str], detectors: Detectors) -> dict[str, Any]:
    """The texts without, and how many of each kind there were."""
    masks = Masks(frozenset(mask for text in texts for mask in masks_in(text)))
    found = [_findings(text, detectors) for text in texts]
    return {
        "texts": [masks.apply(text, findings) for text, findings in zip(texts, found, strict=True)],
        "masked": Counter(finding.kind for findings in found for finding in findings),
    }


def _findings(text: str, detectors: Detectors) -> list[Finding]:
    personal = [finding for recogniser in detectors.personal.values() for finding in recogniser(text)]
    return without_overlaps((*personal, *credentials.keys(text), *credentials.passwords(text)))


def _names() -> NameModel:
    return NameModel(lambda: load_registry(infra_dir() / "models").get(Settings().names_model, task="tag"))


def main() -> None:
    """Answer line by line until there are no more."""
    policy = load_policies(infra_dir() / "policies")["default"]
    detectors = detectors_for(policy, Looks(names=_names()))
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(orjson.dumps(scrub(orjson.loads(line), detectors)) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
