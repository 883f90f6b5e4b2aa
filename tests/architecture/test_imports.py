"""INVARIANT: importing a service opens no connection, starts nothing and loads no weights."""

import json
import subprocess
import sys
import tomllib

import pytest

from tests.architecture.tree import ROOT, SERVICES

# They cost seconds and hundreds of megabytes: they belong into the lifespan, behind a port.
HEAVY = {
    "torch",
    "transformers",
    "ray",
    "openvino_genai",
    "presidio_analyzer",
    "spacy",
    "sklearn",
    "sqlalchemy.dialects",
}
PROBE = """
import importlib, json, sys
done = []
sys.addaudithook(lambda event, args: done.append(event) if event in {"socket.connect", "subprocess.Popen"} else None)
importlib.import_module(sys.argv[1])
print(json.dumps({"done": done, "loaded": sorted(sys.modules)}))
"""


@pytest.mark.parametrize("service", SERVICES)
def test_importing_a_service_only_imports(service: str) -> None:
    pythonpath = [str(ROOT / "libs"), str(ROOT)]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {pythonpath!r}\n{PROBE}", f"services.{service}.app"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["done"] == []
    assert HEAVY & set(seen["loaded"]) == set()


def test_the_import_contracts_cover_every_service() -> None:
    """A contract that names no module holds nothing: the wildcards must be there."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    by_id = {contract["id"]: contract for contract in contracts}
    assert by_id["independent"]["modules"] == ["services.*"]
    assert by_id["pure"]["source_modules"] == ["services.*.domain"]
    assert by_id["layers"]["containers"] == ["services.*"]
