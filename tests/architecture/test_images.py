"""What `docker compose up` would build and start, held without an engine."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.tree import ROOT, SERVICES, compose, modules

# The parts that the services stand on, and the one container that prepares them and ends.
PARTS = {"kafka", "valkey", "qdrant", "otel-collector"}
ONCE = {"topics"}
DOCKERFILE = ROOT / "infra/docker/Dockerfile"
CONTAINERS: dict[str, dict[str, Any]] = compose()["services"]


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_is_well_formed() -> None:
    run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")


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


def test_the_collector_reads_the_metrics_of_every_service() -> None:
    described = yaml.safe_load((ROOT / "infra/otel/collector.yaml").read_text(encoding="utf-8"))
    (job,) = described["receivers"]["prometheus"]["config"]["scrape_configs"]
    targets = {target for group in job["static_configs"] for target in group["targets"]}
    (port,) = re.findall(r"HEALTH_PORT=(\d+)", DOCKERFILE.read_text(encoding="utf-8"))
    assert targets == {f"{name}:{CONTAINERS[name]['environment'].get('HEALTH_PORT', port)}" for name in SERVICES}


def test_the_health_check_asks_where_the_service_answers() -> None:
    described = DOCKERFILE.read_text(encoding="utf-8")
    assert re.findall(r"HEADRACE_OPS_PORT=(\d+)", described) == re.findall(r"HEALTH_PORT=(\d+)", described)
