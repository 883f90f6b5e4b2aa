"""INVARIANT: importing a service opens no connection, starts nothing and loads no weights."""

import json
import subprocess
import sys
import tomllib
from functools import cache

import pytest

from tests.architecture.tree import ROOT, SERVICES

# They cost seconds and hundreds of megabytes: they belong into the lifespan, behind a port.
HEAVY = ["torch", "transformers", "ray", "presidio_analyzer", "spacy", "sklearn"]
# All in one process, which costs a quarter of one each; what an import brings is told by what was there before it.
PROBE = """
import importlib, json, sys, traceback
services, heavy = json.loads(sys.argv[1])
seen = {}
done = []
sys.addaudithook(lambda event, args: done.append(event) if event in {"socket.connect", "subprocess.Popen"} else None)
for service in services:
    done.clear()
    before = set(sys.modules)
    try:
        importlib.import_module(f"services.{service}.app")
        seen[service] = done + sorted({*heavy} & (sys.modules.keys() - before))
    except Exception:
        seen[service] = [traceback.format_exc()]
print(json.dumps(seen))
"""


@cache
def brought() -> dict[str, list[str]]:
    """What importing each service did beside importing."""
    code = f"import sys; sys.path[:0] = {[str(ROOT / 'libs'), str(ROOT)]!r}\n{PROBE}"
    command = [sys.executable, "-c", code, json.dumps([SERVICES, HEAVY])]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    seen: dict[str, list[str]] = json.loads(done.stdout)
    return seen


@pytest.mark.parametrize("service", SERVICES)
def test_importing_a_service_only_imports(service: str) -> None:
    assert brought()[service] == []


def test_the_import_contracts_cover_every_service() -> None:
    """A contract that names no module holds nothing: the wildcards must be there."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    by_id = {contract["id"]: contract for contract in contracts}
    assert by_id["independent"]["modules"] == ["services.*"]
    assert by_id["pure"]["source_modules"] == ["services.*.domain"]
    assert by_id["layers"]["containers"] == ["services.*"]
