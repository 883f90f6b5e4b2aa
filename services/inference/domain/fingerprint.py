"""The name of an answer: all that shaped it, so that two turns with the same fingerprint deserve the same answer."""

import hashlib
import json
from dataclasses import asdict, dataclass

from services.inference.domain.sampling import Sampling


@dataclass(frozen=True, slots=True)
class Shape:
    """Everything that shaped an answer. A new field here empties the cache, which is right."""

    tenant: str
    model: str
    model_revision: str
    adapter: str
    template: str
    template_version: str
    corpus_version: str
    policy: str
    policy_version: str
    response_format: str
    sampling: Sampling
    messages: tuple[tuple[str, str], ...]
    labels: tuple[str, ...] = ()


def fingerprint(shape: Shape) -> str:
    """Sha256 over the shape, field by field: no two different shapes can run together into one text."""
    canonical = json.dumps(asdict(shape), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
