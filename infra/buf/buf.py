"""Run buf at its pinned version: `python infra/buf/buf.py lint proto`.

The binary comes out of its npm package, once, into the cache folder, and is trusted by hash only.
"""

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

VERSION: Final = "1.75.0"
# npm's own integrity value of `@bufbuild/buf-<platform>`, by `uname`.
PACKAGES: Final = {
    ("Linux", "x86_64"): (
        "linux-x64",
        "YGGJAx0lpMCE7aMWjNOJcfoEaG/e+iYHnTC4SZ0P5eS4IffMryA9Z4/bb1m1wNXAEJ8ATFMEZOAk/5x9VE47ig==",
    ),
    ("Linux", "aarch64"): (
        "linux-aarch64",
        "eX+XyokzJDqsNIFo8b1O3DBvbnksOozPJX4QVsNn61JqSUtWspyTNeYqwg8lRDancML+bDqZEDFPABjAsVCQGQ==",
    ),
}


def cached() -> Path:
    """Where the binary lies once it has been fetched."""
    # Not by `headrace.runtime.paths`: this script runs before the package is installed.
    if configured := os.environ.get("HEADRACE_CACHE_DIR"):
        root = Path(configured)
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headrace"
    return root / f"buf-{VERSION}" / "buf"


def fetch(target: Path) -> None:
    """Fetch the package by npm, check its hash, keep the one file that is needed; never leave half a file behind."""
    system = (platform.system(), platform.machine())
    if system not in PACKAGES:
        sys.exit(f"no buf {VERSION} is pinned for {' '.join(system)}: add its npm package and hash to {__file__}")
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("buf comes from npm, which is not installed: install npm (Debian: apt-get install npm) and try again")
    name, integrity = PACKAGES[system]
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = [npm, "pack", "--silent", "--pack-destination", folder, f"@bufbuild/buf-{name}@{VERSION}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        archive = next(Path(folder).glob("*.tgz"))
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != integrity:
            sys.exit(f"{archive.name} has sha512 {found}, expected {integrity}: refused")
        with tarfile.open(archive) as packed:
            packed.extract("package/bin/buf", folder, filter="data")
        Path(folder, "package/bin/buf").replace(target)


def binary() -> Path:
    """The pinned buf, fetched where it is not there yet."""
    target = cached()
    if not target.exists():
        fetch(target)
    return target


if __name__ == "__main__":
    os.execv(binary(), ["buf", *sys.argv[1:]])  # noqa: S606 - the binary was checked by hash when it was fetched
