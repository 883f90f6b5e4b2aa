"""What `docker compose up` would build and start, held without an engine."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.tree import ROOT, SERVICES, compose, files, modules, name

# The parts that the services stand on, and the one container that prepares them and ends.
PARTS = {"kafka", "valkey", "qdrant", "otel-collector", "jaeger", "prometheus", "grafana"}
ONCE = {"topics"}
_SCHEMA = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec")
DOCKERFILE = ROOT / "infra/docker/Dockerfile"
CONTAINERS: dict[str, dict[str, Any]] = compose()["services"]


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_is_well_formed() -> None:
    run(*_SCHEMA, "docker-compose.yml")


def test_the_dockerfile_is_well_formed() -> None:
    run(str(Path(sys.executable).with_name("hadolint")), str(DOCKERFILE))


def test_the_containers_are_the_service_folders_and_the_parts_they_stand_on() -> None:
    assert set(CONTAINERS) == set(SERVICES) | PARTS | ONCE


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_built_from_its_own_folder_and_extra(service: str) -> None:
    build = CONTAINERS[service]["build"]
    assert build["args"]["SERVICE"] == service
    assert ROOT / build["dockerfile"] == DOCKERFILE
    assert build["target"] == "service"


@pytest.mark.parametrize("part", sorted(PARTS))
def test_stock_images_are_pinned(part: str) -> None:
    assert re.fullmatch(r"[\w./-]+:v?\d+(?:\.\d+)+", CONTAINERS[part]["image"])


@pytest.mark.parametrize("container", sorted(CONTAINERS))
def test_every_container_has_limits(container: str) -> None:
    assert CONTAINERS[container]["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}


@pytest.mark.parametrize("container", sorted(CONTAINERS))
def test_nothing_is_reachable_from_outside_the_machine(container: str) -> None:
    assert all(str(port).startswith("127.0.0.1:") for port in CONTAINERS[container].get("ports", []))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_when_what_it_needs_is_ready(service: str) -> None:
    needs = CONTAINERS[service]["depends_on"]
    assert needs["topics"]["condition"] == "service_completed_successfully"
    assert needs["valkey"]["condition"] == "service_healthy"


def test_every_container_that_others_wait_for_says_when_it_is_healthy() -> None:
    waited_for = {
        needed
        for container in CONTAINERS.values()
        for needed, wait in container.get("depends_on", {}).items()
        if wait["condition"] == "service_healthy"
    }
    assert {name for name in waited_for if "healthcheck" not in CONTAINERS[name]} == set()
    assert "/readyz" in DOCKERFILE.read_text(encoding="utf-8")


@pytest.mark.parametrize("container", [*SERVICES, *ONCE])
def test_our_containers_may_do_nothing_but_run(container: str) -> None:
    described = CONTAINERS[container]
    assert described["read_only"] is True
    assert described["cap_drop"] == ["ALL"]
    assert described["security_opt"] == ["no-new-privileges:true"]


def test_an_image_runs_as_nobody_in_particular() -> None:
    stages = DOCKERFILE.read_text(encoding="utf-8").split("\nFROM ")
    runtime = next(stage for stage in stages if " AS runtime\n" in stage)
    assert re.search(r"^USER \d{4,}", runtime, flags=re.MULTILINE)


def test_an_image_carries_every_infra_folder_that_the_code_reads() -> None:
    read = {
        folder
        for path in modules("libs", "services")
        for folder in re.findall(r"infra_dir\(\)\s*/\s*\"(\w+)", path.read_text(encoding="utf-8"))
    }
    copied = set(
        re.findall(r"^COPY infra/(\w+) infra/\w+$", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    assert read <= copied


def test_an_image_is_pinned_in_one_place() -> None:
    """INVARIANT: a version stands once: two of them would be raised at different times."""
    pinned = {CONTAINERS[part]["image"] for part in PARTS}
    again = {
        (image, name(path))
        for path in files()
        if path.suffix in {".yml", ".yaml", ".md"} and path.name != "docker-compose.yml"
        for image in pinned
        if image in path.read_text(encoding="utf-8")
    }
    assert again == set()


def test_no_two_containers_listen_on_one_port_of_the_machine() -> None:
    taken = [str(port).rsplit(":", 1)[0] for container in CONTAINERS.values() for port in container.get("ports", [])]
    assert len(taken) == len(set(taken))


def test_compose_needs_nothing_from_the_environment(tmp_path: Path) -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    resolved = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    assert "$" not in resolved, "a variable without a default"
    (tmp_path / "resolved.yml").write_text(resolved, encoding="utf-8")
    run(*_SCHEMA, str(tmp_path / "resolved.yml"))


def test_what_is_mounted_from_the_checkout_is_there_and_read_only() -> None:
    mounts = [str(mount) for container in CONTAINERS.values() for mount in container.get("volumes", [])]
    local = [mount.split(":") for mount in mounts if mount.startswith(".")]
    assert local
    assert [mount for mount in local if not (ROOT / mount[0]).exists() or mount[2:] != ["ro"]] == []


def test_every_volume_is_named_once_and_used() -> None:
    mounts = [str(mount).split(":")[0] for container in CONTAINERS.values() for mount in container.get("volumes", [])]
    assert {mount for mount in mounts if not mount.startswith(".")} == set(compose()["volumes"])


def test_the_health_check_asks_where_the_service_answers() -> None:
    described = DOCKERFILE.read_text(encoding="utf-8")
    assert re.findall(r"HEADRACE_OPS_PORT=(\d+)", described) == re.findall(r"HEALTH_PORT=(\d+)", described)
