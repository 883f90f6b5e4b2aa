"""Artifacts of a Maven repository: Maven Central, or the mirror that a closed network has of it."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from headrace.messaging.errors import Fatal, Retryable

MIRROR: Final = "HEADRACE_MAVEN_URL"
_SECONDS: Final = 30

# Shows a download by its label; what it gives is called with the bytes that are there and the bytes that will be.
Progress = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]


def artifact_path(coordinate: str, store: Path) -> Path:
    """Where the jar `group:artifact:version` lies in a repository that is a folder."""
    group, artifact, version = coordinate.split(":")
    return store.joinpath(*group.split("."), artifact, version, f"{artifact}-{version}.jar")


def download(coordinate: str, store: Path, progress: Progress | None = None) -> Path:
    """Fetch the jar anew into `store`. `Retryable` where the network failed, `Fatal` where there is no such jar.

    Its hash is for the caller to verify.
    """
    import requests
    from jgo.maven import MavenContext, PythonResolver

    # jgo takes whatever lies there for the jar, half of one too.
    path = artifact_path(coordinate, store)
    path.unlink(missing_ok=True)
    mirror = os.environ.get(MIRROR, "").rstrip("/")
    context = MavenContext(
        resolver=PythonResolver(progress_callback=_shown(coordinate, progress) if progress else None),
        repo_cache=store,
        local_repos=[],
        remote_repos={"mirror": mirror} if mirror else None,
        timeout=_SECONDS,
    )
    group, artifact, version = coordinate.split(":")
    try:
        return Path(context.project(group, artifact).at_version(version).artifact().resolve())
    except requests.RequestException as exc:
        path.unlink(missing_ok=True)
        raise Retryable(
            f"{coordinate} could not be fetched from {mirror or 'Maven Central'} ({exc}): check the network, or name "
            f"a mirror in {MIRROR}, and start again"
        ) from exc
    except RuntimeError as exc:
        path.unlink(missing_ok=True)
        raise Fatal(f"{mirror or 'Maven Central'} has no {coordinate}: it must carry what infra names") from exc


def _shown(label: str, progress: Progress) -> Callable[[str, int], AbstractContextManager[Callable[[int], None]]]:
    """As jgo wants it: called with a name and the size, then with what came since the last time."""

    @contextmanager
    def begun(_name: str, total: int) -> Iterator[Callable[[int], None]]:
        done = 0
        with progress(label) as advance:

            def more(count: int) -> None:
                nonlocal done
                done += count
                advance(done, total)

            yield more

    return begun
