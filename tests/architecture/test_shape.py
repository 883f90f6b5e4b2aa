"""Every service has the same shape, so that whoever knows one finds their way in all."""

import ast
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, SERVICES, modules, name

FILES = {"__init__.py", "app.py", "ports.py", "settings.py", "README.md"}
# One concept is a module, several are a folder of them.
FILE_OR_FOLDER = {"handlers", "domain", "adapters"}
# What is served as it is: only the gateway shows something.
ASSETS = {"gateway": {"page"}}


def entries(service: str) -> set[str]:
    folder = ROOT / "services" / service
    return {path.name for path in folder.iterdir() if path.name != "__pycache__"}


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def test_the_services_are_the_seven_of_the_design() -> None:
    assert set(SERVICES) == {
        "gateway",
        "preprocessing",
        "grounding",
        "safety",
        "inference",
        "postprocessing",
        "feedback",
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_folder_holds_the_same_files(service: str) -> None:
    found = {
        entry.removesuffix(".py") if entry.removesuffix(".py") in FILE_OR_FOLDER else entry
        for entry in entries(service)
    }
    expected = FILES | FILE_OR_FOLDER | ASSETS.get(service, set())
    assert found == expected, f"services/{service}: missing {expected - found}, unexpected {found - expected}"


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_says_in_one_line_what_it_does(service: str) -> None:
    line = docstring(ROOT / "services" / service / "__init__.py")
    assert line
    assert "\n" not in line


@pytest.mark.parametrize("service", SERVICES)
def test_a_readme_of_a_service_is_one_screen(service: str) -> None:
    lines = (ROOT / "services" / service / "README.md").read_text(encoding="utf-8").splitlines()
    assert 10 <= len(lines) <= 70


@pytest.mark.parametrize("service", SERVICES)
def test_every_app_is_wired_by_build_app_and_run_at_the_bottom(service: str) -> None:
    tree = ast.parse((ROOT / "services" / service / "app.py").read_text(encoding="utf-8"))
    built = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert "build_app" in built
    last = tree.body[-1]
    assert isinstance(last, ast.If)
    assert ast.unparse(last.test) == "__name__ == '__main__'"


def test_modules_are_one_concept_long() -> None:
    """INVARIANT: a module fits in a head: 250 lines at most, tests 400."""
    limits = [
        (path, 400 if path.is_relative_to(ROOT / "tests") else 250)
        for path in modules("libs", "services", "infra", "tests")
    ]
    long = {name(path): lines for path, limit in limits if (lines := len(path.read_text("utf-8").splitlines())) > limit}
    assert not long


def test_nothing_is_called_utils() -> None:
    bad = {"utils", "util", "common", "helpers", "helper", "misc"}
    assert not [name(path) for path in modules("libs", "services", "infra", "tests") if bad & {*path.parts, path.stem}]
