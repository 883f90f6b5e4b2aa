"""Every variable that is read is documented, and every one that is written about is read."""

import ast
import re
from importlib import import_module

import pytest
from pydantic_settings import BaseSettings

from tests.architecture.tree import ROOT, SERVICES, files, modules, name

VARIABLE = re.compile(r"\bHEADRACE_[A-Z][A-Z_]*[A-Z]\b")
TABLE = ROOT / "infra/README.md"


def settings(service: str) -> type[BaseSettings]:
    found: type[BaseSettings] = import_module(f"services.{service}.settings").Settings
    return found


def of_service(service: str) -> set[str]:
    """The variables that a service reads under its own prefix."""
    model = settings(service)
    prefix = model.model_config.get("env_prefix", "")
    return {f"{prefix}{field}".upper() for field, info in model.model_fields.items() if info.validation_alias is None}


def shared() -> set[str]:
    """The variables that the code reads by name: those that mean the same everywhere."""
    literals = {
        node.value
        for path in modules("libs", "services")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    telemetry = import_module("headrace.telemetry.setup").TelemetrySettings
    derived = {f"HEADRACE_{field}".upper() for field in telemetry.model_fields}
    prefixes = {f"HEADRACE_{service.upper()}_" for service in SERVICES}
    named = {literal for literal in literals if VARIABLE.fullmatch(literal)}
    return {variable for variable in named | derived if not variable.startswith(tuple(prefixes))}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reads_its_own_prefix(service: str) -> None:
    assert settings(service).model_config.get("env_prefix") == f"HEADRACE_{service.upper()}_"
    assert settings(service).model_config.get("frozen")


def test_every_shared_variable_is_in_the_table() -> None:
    documented = set(VARIABLE.findall(TABLE.read_text(encoding="utf-8")))
    assert shared() - documented == set(), f"add to the table in {name(TABLE)}"


def test_every_variable_that_is_written_about_is_read_by_somebody() -> None:
    read = shared().union(*(of_service(service) for service in SERVICES))
    written = {
        variable: name(path)
        for path in files()
        if path.suffix in {".md", ".yml", ".yaml", ".sh", ".toml"} or path.name in {"Dockerfile", "Makefile"}
        for variable in VARIABLE.findall(path.read_text(encoding="utf-8"))
        # "HEADRACE_GATEWAY_…" names a family.
        if variable not in {f"HEADRACE_{service.upper()}" for service in SERVICES}
    }
    assert {variable: place for variable, place in written.items() if variable not in read} == {}
