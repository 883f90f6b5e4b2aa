"""Where configuration, data and caches lie."""

import os
from pathlib import Path

from headrace.messaging.errors import Fatal


def infra_dir() -> Path:
    """The folder with pipelines, prompts, policies and models: `HEADRACE_INFRA_DIR`, else the checkout's `infra`."""
    if configured := os.environ.get("HEADRACE_INFRA_DIR"):
        return Path(configured)
    for base in (Path.cwd(), *Path(__file__).resolve().parents):
        if (base / "infra" / "pipelines").is_dir():
            return base / "infra"
    raise Fatal("no infra folder found: start in the checkout or set HEADRACE_INFRA_DIR to its infra folder")


def data_dir() -> Path:
    """What must survive a restart: `HEADRACE_DATA_DIR`, else `.headrace` in the working directory."""
    return Path(os.environ.get("HEADRACE_DATA_DIR", ".headrace")).resolve()


def cache_dir() -> Path:
    """What can be fetched again (weights, jars): `HEADRACE_CACHE_DIR`, else the user's cache folder."""
    if configured := os.environ.get("HEADRACE_CACHE_DIR"):
        return Path(configured)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "headrace"
