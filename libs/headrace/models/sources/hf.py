"""Weights from the Hugging Face hub, at a pinned revision."""

from pathlib import Path

from headrace.messaging.errors import Fatal, Retryable
from headrace.models.checksum import verify
from headrace.models.spec import HubSource

TOKENIZER_PATTERNS = ("tokenizer*.json", "special_tokens_map.json", "*.jinja", "config.json", "generation_config.json")


def fetch(source: HubSource, revision: str, into: Path, patterns: tuple[str, ...] | None = None) -> None:
    """Download the files that match; resumed, cached and shown by the hub's own client."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        snapshot_download(
            source.repo, revision=revision, local_dir=into, allow_patterns=list(patterns or source.patterns)
        )
    except GatedRepoError as exc:
        raise Fatal(f"{source.repo} asks for its licence to be accepted: do so on its page, then set HF_TOKEN") from exc
    except (RepositoryNotFoundError, RevisionNotFoundError) as exc:
        raise Fatal(
            f"the hub has no {source.repo} at revision {revision}: correct the model's YAML, or set HF_TOKEN"
        ) from exc
    except (HfHubHTTPError, OSError) as exc:
        raise Retryable(
            f"the hub cannot be reached for {source.repo}: check the network or set HF_ENDPOINT to a mirror"
        ) from exc
    for name, expected in source.sha256.items():
        if patterns is None or (into / name).is_file():
            verify(into / name, expected, remove=True)
