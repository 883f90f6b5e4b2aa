"""The contracts in `proto`: well formed, never broken, and the generated code is theirs."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

BUF = [sys.executable, str(ROOT / "infra/buf/buf.py")]


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def test_the_contracts_are_well_formed() -> None:
    run([*BUF, "lint", "proto"])


def test_public_contracts_only_gain_fields() -> None:
    """INVARIANT: what a client sent to any earlier version is understood by this one."""
    commits = git("rev-list", "HEAD", "--", "proto/headrace/v1").splitlines()
    if not commits:
        pytest.fail("git knows no commit of proto/headrace/v1: fetch the history (git fetch --unshallow)")
    # Each change was held against the one before it, so the first and the latest two stand for all.
    for commit in dict.fromkeys([commits[-1], *commits[:2]]):
        run([*BUF, "breaking", "proto", "--against", f".git#ref={commit},subdir=proto"])


def test_generated_code_is_what_the_contracts_say(tmp_path: Path) -> None:
    sources = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "proto/headrace/v1").glob("*.proto"))
    run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            "-Iproto",
            f"--python_out={tmp_path}",
            f"--pyi_out={tmp_path}",
            *sources,
        ]
    )
    made = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "headrace/v1").iterdir()}
    committed = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "libs/headrace/v1").glob("*_pb2.py*")}
    assert made.keys() == committed.keys()
    stale = [name for name in made if made[name] != committed[name]]
    assert not stale, "generate again: make proto"


def test_the_descriptions_are_what_the_contracts_say(tmp_path: Path) -> None:
    run([sys.executable, "infra/proto/describe.py", str(tmp_path / "made.json")])
    committed = (ROOT / "libs/headrace/v1/descriptions.json").read_text(encoding="utf-8")
    assert (tmp_path / "made.json").read_text(encoding="utf-8") == committed, "generate again: make proto"
