"""A copy of `infra` for attacks: a model that is fast and whose answers differ, and time enough to answer in."""

import shutil
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[3]
MODEL: Final = "quick"

# Longer than any run: what an attack delays must come late, not be shed as expired.
_DEADLINE_SECONDS: Final = 6 * 3600
_QUICK: Final = {
    "name": MODEL,
    "task": "chat",
    "revision": "1",
    "source": {"type": "builtin"},
    "engine": "mock",
    # The digest differs from prompt to prompt, so that answers which got mixed up show it.
    "mock": {"text": "Turbine {digest} runs. Its head is steady. The sediment settles first.", "delay_ms": 5},
    "resources": {"cpus": 0.1, "gpus": 0, "max_running": 64},
    "limits": {"context_window": 32768, "max_new_tokens": 4096},
}


def copy_infra(folder: Path) -> Path:
    """The shipped files with `quick` as every pipeline's model."""
    infra = folder / "infra"
    shutil.copytree(ROOT / "infra", infra)
    (infra / "models" / f"{MODEL}.yaml").write_text(yaml.safe_dump(_QUICK), encoding="utf-8")
    for path in (infra / "pipelines").glob("*.yaml"):
        pipeline: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        pipeline["deadline_seconds"] = _DEADLINE_SECONDS
        pipeline["settings"]["model"] = MODEL
        path.write_text(yaml.safe_dump(pipeline), encoding="utf-8")
    return infra
