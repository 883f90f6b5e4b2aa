"""What a cluster would be given: read by Kubernetes' own schemas, and in step with the compose file."""

import re
import subprocess
import sys
import tomllib
from typing import Any

import pytest
import yaml

from tests.architecture.tree import ROOT, SERVICES, compose, files

FOLDER = ROOT / "infra/k8s"
MANIFESTS = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
DOCUMENTS: list[dict[str, Any]] = [
    document for path in MANIFESTS for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]
DOCKERFILE = (ROOT / "infra/docker/Dockerfile").read_text(encoding="utf-8")
# The oldest that still gets fixes, and the newest that is known here.
VERSIONS = ("1.34", "1.37")
# Beside the services: what prepares the topics and ends, and what runs on a schedule.
ONCE = {"topics", "classify"}
_UNITS = {"m": "Mi", "g": "Gi"}


def of_kind(*kinds: str) -> dict[str, dict[str, Any]]:
    return {document["metadata"]["name"]: document for document in DOCUMENTS if document["kind"] in kinds}


def pods() -> dict[str, dict[str, Any]]:
    """The pod template of everything that runs."""
    found = of_kind("StatefulSet", "Job")
    templates = {name: document["spec"]["template"] for name, document in found.items()}
    for name, document in of_kind("CronJob").items():
        templates[name] = document["spec"]["jobTemplate"]["spec"]["template"]
    return templates


PODS = pods()


def container(name: str) -> dict[str, Any]:
    (only,) = PODS[name]["spec"]["containers"]
    found: dict[str, Any] = only
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(version: str) -> None:
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", "-k", version, *map(str, MANIFESTS)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARN" not in done.stdout, done.stdout
    assert done.stdout.count("passed") == len(DOCUMENTS)


def test_the_kustomization_names_every_manifest_and_every_image() -> None:
    assert sorted(KUSTOMIZATION["resources"]) == [path.name for path in MANIFESTS]
    images = {container(name)["image"] for name in PODS}
    assert {image["name"] for image in KUSTOMIZATION["images"]} == images
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert {image["newTag"] for image in KUSTOMIZATION["images"]} == {version}


def test_the_pods_are_the_service_folders_and_what_runs_beside_them() -> None:
    assert set(of_kind("StatefulSet")) == set(SERVICES)
    assert set(PODS) == set(SERVICES) | ONCE
    assert {name: container(name)["image"] for name in SERVICES} == {name: f"headrace-{name}" for name in SERVICES}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_what_the_compose_file_gives_it(service: str) -> None:
    limits = compose()["services"][service]["deploy"]["resources"]["limits"]
    expected = {"cpu": limits["cpus"], "memory": limits["memory"][:-1] + _UNITS[limits["memory"][-1]]}
    assert container(service)["resources"]["limits"] == expected
    mounted = {mount["mountPath"] for mount in container(service)["volumeMounts"]}
    volumes = compose()["services"][service].get("volumes", compose()["x-service"]["volumes"])
    assert {volume.split(":")[1] for volume in volumes} <= mounted


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_asked_where_it_answers(service: str) -> None:
    (port,) = re.findall(r"HEALTH_PORT=(\d+)", DOCKERFILE)
    expected = int(compose()["services"][service]["environment"].get("HEALTH_PORT", port))
    described = container(service)
    assert described["ports"] == [{"name": "http", "containerPort": expected}]
    assert described["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert described["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    startup = described["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 1800
    assert PODS[service]["metadata"]["annotations"]["prometheus.io/port"] == str(expected)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_keeps_its_name_over_a_restart_and_has_time_to_drain(service: str) -> None:
    """INVARIANT: membership is static by name: a pod that comes back under another would move partitions."""
    named = {each["name"]: each.get("valueFrom") for each in container(service)["env"]}
    assert named["HEADRACE_INSTANCE"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    grace = int(compose()["x-service"]["stop_grace_period"].removesuffix("s"))
    assert PODS[service]["spec"]["terminationGracePeriodSeconds"] == grace


@pytest.mark.parametrize("pod", sorted(PODS))
def test_a_pod_may_do_nothing_but_run(pod: str) -> None:
    spec = PODS[pod]["spec"]
    assert spec["automountServiceAccountToken"] is False
    (user,) = re.findall(r"^USER (\d+):", DOCKERFILE, flags=re.MULTILINE)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == int(user)
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(pod)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container(pod)["resources"].keys() == {"requests", "limits"}


@pytest.mark.parametrize("pod", sorted(PODS))
def test_every_mount_has_its_volume(pod: str) -> None:
    volumes = {volume["name"] for volume in PODS[pod]["spec"]["volumes"]}
    claims = of_kind("StatefulSet").get(pod, {"spec": {}})["spec"].get("volumeClaimTemplates", [])
    assert {mount["name"] for mount in container(pod)["volumeMounts"]} == volumes | {
        claim["metadata"]["name"] for claim in claims
    }


def test_nothing_is_reached_that_no_policy_names() -> None:
    policies = of_kind("NetworkPolicy")
    assert policies["nothing"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    fetching = policies["models"]["spec"]["podSelector"]["matchLabels"].items()
    caches = {
        name for name in PODS if any(m["mountPath"] == "/var/cache/headrace" for m in container(name)["volumeMounts"])
    }
    assert {name for name, pod in PODS.items() if fetching <= pod["metadata"]["labels"].items()} == caches
    addresses = " ".join(of_kind("ConfigMap")["headrace"]["data"].values())
    named = {rule["port"] for egress in policies["parts"]["spec"]["egress"] for rule in egress["ports"]} - {53}
    assert {int(port) for port in re.findall(r"\.svc:(\d+)", addresses)} == named


def test_the_weekly_run_is_never_two_and_does_not_try_again_what_no_try_mends() -> None:
    job = of_kind("CronJob")["classify"]["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    (rule,) = job["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert rule["action"] == "FailJob"
    # 4: every row has its result, and some of these are errors; 2: the command line.
    assert rule["onExitCodes"]["values"] == [2, 4]


def test_the_cron_line_of_the_readme_runs_when_the_cron_job_does() -> None:
    schedule = of_kind("CronJob")["classify"]["spec"]["schedule"]
    assert re.search(
        rf"^{re.escape(schedule)} .*headrace classify ", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE
    )


def test_no_secret_is_in_a_manifest() -> None:
    assert of_kind("Secret") == {}
    assert [path for path in files() if path.is_relative_to(FOLDER) and "secret" in path.stem.lower()] == []
