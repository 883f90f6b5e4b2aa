"""What a shell may complete: the names in `infra`, read off the files that hold them."""

from headrace.messaging.errors import Fatal
from headrace.runtime.paths import infra_dir


def model_names(incomplete: str) -> list[str]:
    """Models that begin so."""
    return _names("models", incomplete)


def pipeline_names(incomplete: str) -> list[str]:
    """Pipelines that begin so."""
    return _names("pipelines", incomplete)


def _names(folder: str, incomplete: str) -> list[str]:
    try:
        files = (infra_dir() / folder).glob("*.yaml")
    except Fatal:
        return []
    return sorted(path.stem for path in files if path.stem.startswith(incomplete))
