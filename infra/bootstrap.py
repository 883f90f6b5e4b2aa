"""Make `.venv` from the locks: exact versions, hashes, the right build of torch. Standard library only.

Run by make before everything else; when nothing changed it takes a few hundredths of a second.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
# uv lies beside the environment's packages, not among them: a sync would remove it.
TOOLS = VENV / "bootstrap"
STAMP = VENV / "made-from"
LOCKS = ROOT / "infra" / "locks"
# The build of torch with its CUDA libraries, and the small one: what an empty disk must hold, with uv's cache.
GIGABYTES = {"registry": 7, "other": 3}
FULL_BYTES = 200e6
NO_INDEX = (
    "If it could not reach the package index: check the network, a proxy (HTTPS_PROXY), or name your mirror "
    "(PIP_INDEX_URL), and start again; what was fetched is kept"
)
CUDA = re.compile(r"^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)(==| @)", re.IGNORECASE)


def main() -> None:
    """Bring `.venv` to what the locks say."""
    asked = os.environ.get("TORCH_BACKEND", "auto")
    wanted = fingerprint(asked)
    if up_to_date(wanted):
        return
    # `make run` and `make test` at once make it once.
    with Path(__file__).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not up_to_date(wanted):
            make(asked)
            STAMP.write_text(wanted, encoding="utf-8")


def fingerprint(asked: str) -> str:
    """What the environment is made from; another of any of it makes it anew."""
    content = hashlib.sha256(f"{asked} {sys.version_info[:2]} {ROOT}".encode())
    for path in (*sorted(LOCKS.glob("*.txt")), ROOT / "pyproject.toml", Path(__file__)):
        content.update(path.read_bytes())
    return content.hexdigest()


def up_to_date(wanted: str) -> bool:
    """Whether the environment is the wanted one, all of it."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted


def make(asked: str) -> None:
    """Make the environment, saying what is fetched."""
    STAMP.unlink(missing_ok=True)
    if moved():
        say(f"{ROOT} was moved: making {VENV.name} anew")
        shutil.rmtree(VENV)
    if not (PYTHON.exists() and (VENV / "pyvenv.cfg").exists()):
        say(f"making {VENV.name} with Python {sys.version.split()[0]}")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(VENV)], check=True)
    if not pinned_uv_is_there():
        say("1/3 uv, the installer: 18 MB")
        target = (
            "install",
            "--quiet",
            "--upgrade",
            "--root-user-action=ignore",
            "--disable-pip-version-check",
            "--target",
            str(TOOLS),
        )
        call([*pip(), *target, "--require-hashes", "-r", str(LOCKS / "bootstrap.txt")])
    backend = torch_backend(asked)
    if not list(VENV.glob("lib/python*/site-packages/torch")):
        require_space(GIGABYTES.get(backend, GIGABYTES["other"]))
    install(backend)
    say("3/3 headrace itself")
    uv(
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--editable",
        str(ROOT),
        hint="Read what it says above",
    )
    say("the environment is ready")


def moved() -> bool:
    """Whether the environment was made for another place: its programs would start a Python that is not there."""
    settings = VENV / "pyvenv.cfg"
    made = (
        re.search(r"^command = (.*)$", settings.read_text(encoding="utf-8"), re.MULTILINE)
        if settings.exists()
        else None
    )
    return made is not None and not made[1].endswith(str(VENV))


def pip() -> list[str]:
    """A pip: that of the Python we run in, else one that the environment gets."""
    if works([sys.executable, "-m", "pip", "--version"]):
        return [sys.executable, "-m", "pip"]
    if not works([str(PYTHON), "-m", "ensurepip", "--upgrade"]):
        stop(
            f"{sys.executable} has neither pip nor venv: install one (Debian and Ubuntu: apt-get install python3-venv; "
            "Fedora: dnf install python3-pip) and start again"
        )
    return [str(PYTHON), "-m", "pip"]


def works(command: list[str]) -> bool:
    """Whether a command ends well."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def pinned_uv_is_there() -> bool:
    """Whether uv is there, in the version of the lock."""
    return (TOOLS / f"uv-{version('uv', 'bootstrap.txt')}.dist-info").exists()


def version(package: str, lock: str) -> str:
    """The version of a package in a lock."""
    found = re.search(rf"^{package}==(\S+)", (LOCKS / lock).read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        stop(f"infra/locks/{lock} does not name {package}: make it anew by `make lock`")
    return found[1]


def torch_backend(asked: str) -> str:
    """Which build of torch: `registry`, or one that uv knows by name (`cpu`, `cu130`, …)."""
    if asked != "auto":
        return asked
    if Path("/dev/nvidiactl").exists():
        return "registry"
    # Its own index alone has the small build; where it cannot be reached within seconds, the other works as well.
    brief = {"UV_HTTP_TIMEOUT": "5", "UV_HTTP_RETRIES": "0"}
    probe = (*torch_install("cpu"), "--dry-run", "--quiet")
    return "registry" if uv(*probe, check=False, quiet=True, env=brief) else "cpu"


def torch_install(backend: str) -> tuple[str, ...]:
    """The command for a build of torch from torch's own index; the lock has the hashes of the other build only."""
    exactly = f"torch=={version('torch', 'all.txt')}"
    # The CPU build needs nothing beside the lock; another brings libraries of its own.
    alone = ("--no-deps",) if backend == "cpu" else ()
    return ("pip", "install", "--reinstall-package", "torch", *alone, "--torch-backend", backend, exactly)


def install(backend: str) -> None:
    """The packages of the lock, and torch in the wanted build."""
    locks = [LOCKS / "all.txt", LOCKS / "build.txt"]
    if backend == "registry":
        say("2/3 about 210 packages: 3.4 GB, most of it torch's CUDA build (TORCH_BACKEND=cpu takes a small one)")
        uv("pip", "sync", "--require-hashes", *map(str, locks))
        return
    say(f"2/3 about 190 packages: 1 GB, with torch for {backend}")
    rest = VENV / "without-torch.txt"
    rest.write_text(without_torch((LOCKS / "all.txt").read_text(encoding="utf-8")), encoding="utf-8")
    uv("pip", "sync", "--require-hashes", str(rest), str(LOCKS / "build.txt"))
    uv(*torch_install(backend), hint="Only torch's own index has this build; TORCH_BACKEND=registry takes the other")


def without_torch(lock: str) -> str:
    """The lock without torch and what only its CUDA build needs."""
    entries = re.split(r"^(?=\S)", lock, flags=re.MULTILINE)
    return "".join(entry for entry in entries if not CUDA.match(entry))


def require_space(gigabytes: int) -> None:
    """Stop before a disk runs full in the middle."""
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < gigabytes:
        stop(f"{ROOT} has {free:.1f} GB free, and the environment takes about {gigabytes}: make room and start again")


def uv(
    *arguments: str, check: bool = True, hint: str = NO_INDEX, quiet: bool = False, env: dict[str, str] | None = None
) -> int:
    """Run uv on the environment."""
    # Compiled once here, not by each of ten processes at its first start, nor at every start where Python may write
    # no bytecode.
    told = {**os.environ, **pip_index(), "VIRTUAL_ENV": str(VENV), "UV_COMPILE_BYTECODE": "1", **(env or {})}
    return call([str(TOOLS / "bin" / "uv"), *arguments], check=check, hint=hint, quiet=quiet, env=told)


def pip_index() -> dict[str, str]:
    """The index that this machine's pip is set to, for uv, which does not read pip's settings."""
    if any(name in os.environ for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX")):
        return {}
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    index = os.environ.get("PIP_INDEX_URL") or found.stdout.strip()
    return {"UV_DEFAULT_INDEX": index} if index else {}


def call(
    command: list[str],
    *,
    check: bool = True,
    hint: str = NO_INDEX,
    quiet: bool = False,
    env: dict[str, str] | None = None,
) -> int:
    """Run a command; when it fails, say in plain words what may be missing."""
    output = subprocess.DEVNULL if quiet else None
    status = subprocess.run(command, env=env, stdout=output, stderr=output, check=False).returncode
    if status and check:
        if shutil.disk_usage(ROOT).free < FULL_BYTES:
            stop(f"the disk of {ROOT} is full: make room and start again; what was fetched is kept")
        stop(f"the step above failed. {hint}")
    return status


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(f"set-up: {text}", flush=True)


def stop(text: str) -> NoReturn:
    """End with what to do next."""
    sys.exit(f"set-up: {text}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        stop("interrupted; it goes on where it was when started again")
