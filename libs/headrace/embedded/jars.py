"""The broker's jars: pinned by coordinate and sha256, fetched from Maven Central once.

`python -m headrace.embedded.jars` writes the pins anew; they stand in `infra/kafka/jars.txt`.
"""

import hashlib
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headrace.messaging.errors import Fatal
from headrace.runtime import maven
from headrace.runtime.paths import cache_dir, infra_dir

KAFKA_VERSION: Final = "4.3.1"
# Each is resolved alone: resolved together, the dependency management of log4j's parent replaces kafka-clients by 3.9.
ROOTS: Final = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4")

# Bytes fetched so far, bytes to fetch.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the pins."""

    coordinate: str
    size: int
    sha256: str

    def path(self, store: Path) -> Path:
        """Where the jar lies in a Maven repository."""
        return maven.artifact_path(self.coordinate, store)


def pins_file() -> Path:
    """The file with the pins."""
    return infra_dir() / "kafka" / "jars.txt"


def parse(text: str) -> tuple[Jar, ...]:
    """The pins, in the order of the class path."""
    jars = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            sha256, size, coordinate = line.split()
            jars.append(Jar(coordinate, int(size), sha256))
    return tuple(jars)


def intact(jar: Jar, store: Path) -> bool:
    """Whether the jar is there, whole and unchanged."""
    path = jar.path(store)
    if not path.is_file() or path.stat().st_size != jar.size:
        return False
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256


def fetch(progress: Progress | None = None) -> tuple[Path, ...]:
    """The class path; what is missing or broken is fetched, so that a cut fetch goes on where it was."""
    store = cache_dir() / "maven"
    jars = parse(pins_file().read_text(encoding="utf-8"))
    missing = [jar for jar in jars if not intact(jar, store)]
    if missing:
        _download(missing, store, progress)
    return tuple(jar.path(store) for jar in jars)


def _download(missing: Sequence[Jar], store: Path, progress: Progress | None) -> None:
    total = sum(jar.size for jar in missing)
    done = 0
    pool = ThreadPoolExecutor(max_workers=6)
    try:
        running = {pool.submit(_download_one, jar, store): jar for jar in missing}
        for future in as_completed(running):
            if error := future.exception():
                raise Fatal(
                    f"no Kafka without its jars: {error} (what was fetched is kept), or name a broker in "
                    "HEADRACE_KAFKA_BOOTSTRAP"
                ) from error
            done += running[future].size
            if progress:
                progress(done, total)
    finally:
        pool.shutdown(cancel_futures=True)


def _download_one(jar: Jar, store: Path) -> None:
    maven.download(jar.coordinate, store)
    if not intact(jar, store):
        jar.path(store).unlink(missing_ok=True)
        raise Fatal(f"{jar.coordinate} has not the pinned sha256 {jar.sha256}")


def _resolve() -> str:
    import jgo

    chosen: dict[str, Jar] = {}
    for root in ROOTS:
        for artifact in jgo.resolve(root):
            path = artifact.resolve()
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            coordinate = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
            jar = chosen.setdefault(
                f"{artifact.groupId}:{artifact.artifactId}", Jar(coordinate, path.stat().st_size, sha256)
            )
            if jar.coordinate != coordinate:
                raise Fatal(f"{root} wants {coordinate}, but {jar.coordinate} is chosen already")
    lines = [f"{jar.sha256} {jar.size:>9} {jar.coordinate}" for jar in chosen.values()]
    head = "# The jars of Apache Kafka: sha256, bytes, coordinate. Written by `python -m headrace.embedded.jars`."
    return "\n".join([head, *lines]) + "\n"


if __name__ == "__main__":
    pins_file().write_text(_resolve(), encoding="utf-8")
    sys.stdout.write(f"{pins_file()} written\n")
