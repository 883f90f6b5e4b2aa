"""Rules, alerts and the dashboard ask for what the services measure, in a language that Prometheus reads."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from headrace.telemetry.metrics import REGISTRY
from tests.architecture.promql import grouped_by, matchers_of, metrics_of
from tests.architecture.tree import ROOT, SERVICES, compose

PROMETHEUS = ROOT / "infra/prometheus"
GRAFANA = ROOT / "infra/grafana"
RULES = sorted((PROMETHEUS / "rules").glob("*.yaml"))
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
CONTAINERS: dict[str, dict[str, Any]] = compose()["services"]
CONFIG: dict[str, Any] = yaml.safe_load((PROMETHEUS / "prometheus.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "infra/docker/Dockerfile").read_text(encoding="utf-8")
# Not ours: Prometheus' own, and what the collector's `kafkametrics` makes of the broker's answers.
FOREIGN = {"up": set[str](), "kafka_consumer_group_lag": {"group", "topic", "partition"}}
# Every series has these: from the scrape configuration.
TARGET_LABELS = {"job", "instance", "service"}
INDICATORS = {
    "availability",
    "turn_seconds",
    "time_to_first_token_seconds",
    "tokens_per_second",
    "refused",
    "cache_hit",
    "feedback",
    "lag",
    "dead_letters",
}


def promtool() -> str:
    """Prometheus' own judge; where it is missing the test says so, and on CI it may not be missing."""
    found = shutil.which("promtool")
    if not found and os.environ.get("CI"):
        pytest.fail("no promtool: install Debian's package prometheus")
    return found or pytest.skip("no promtool found: install the package prometheus")


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr


def measured() -> dict[str, set[str]]:
    """Every series that a service exposes, with its labels."""
    found: dict[str, set[str]] = {}
    for collector, names in REGISTRY._collector_to_names.items():
        labels = set(getattr(collector, "_labelnames", ()))
        for name in names:
            found[name] = labels | ({"le"} if name.endswith("_bucket") else set())
    return found


def rules() -> list[dict[str, Any]]:
    described = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in RULES]
    return [rule for content in described for group in content["groups"] for rule in group["rules"]]


def panels(dashboard: Path) -> Iterator[dict[str, Any]]:
    yield from (panel for panel in json.loads(dashboard.read_text(encoding="utf-8"))["panels"] if panel.get("targets"))


def expressions() -> list[tuple[str, str]]:
    """Every expression, and where it stands."""
    asked = [(str(rule.get("record") or rule["alert"]), str(rule["expr"])) for rule in rules()]
    for dashboard in DASHBOARDS:
        for panel in panels(dashboard):
            asked += [(f"panel {panel['title']!r}", target["expr"]) for target in panel["targets"]]
    return asked


def recorded() -> set[str]:
    return {rule["record"] for rule in rules() if "record" in rule}


def test_every_series_that_is_asked_for_is_measured() -> None:
    """INVARIANT: a panel or an alert over a metric that nobody has is silent for ever, and looks like peace."""
    known = set(measured()) | set(FOREIGN) | recorded()
    asked = {(place, name) for place, expression in expressions() for name in metrics_of(expression)}
    assert asked
    assert {(place, name) for place, name in asked if name not in known} == set()


def test_every_label_that_is_asked_for_is_there() -> None:
    series = {**measured(), **FOREIGN}
    wrong: list[tuple[str, str, set[str]]] = []
    for place, expression in expressions():
        for name, labels in matchers_of(expression):
            if name in series and (missing := labels - series[name] - TARGET_LABELS):
                wrong.append((place, name, missing))
        names = metrics_of(expression)
        if names <= series.keys():
            there = set().union(*(series[name] for name in names)) | TARGET_LABELS
            wrong += [(place, "by", missing) for missing in [grouped_by(expression) - there] if missing]
    assert wrong == []


def test_every_indicator_is_recorded_and_shown() -> None:
    families = {name.split(":")[1] for name in recorded()}
    assert families >= INDICATORS
    shown = {
        name for place, expression in expressions() if place.startswith("panel") for name in metrics_of(expression)
    }
    assert {name.split(":")[1] for name in shown if ":" in name} >= INDICATORS


def test_every_alert_says_how_grave_it_is_and_what_to_do() -> None:
    alerts = [rule for rule in rules() if "alert" in rule]
    assert alerts
    for alert in alerts:
        assert alert["labels"]["severity"] in {"page", "ticket"}, alert["alert"]
        assert alert["annotations"].keys() == {"summary", "description"}, alert["alert"]


def test_prometheus_reads_its_configuration_and_the_rules() -> None:
    run(promtool(), "check", "config", "infra/prometheus/prometheus.yaml")


def test_the_rules_say_what_they_should_of_series_as_the_services_make_them() -> None:
    run(promtool(), "test", "rules", "infra/prometheus/tests.yaml")


def test_prometheus_reads_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    asked = [expression.replace("$__rate_interval", "5m") for place, expression in expressions()]
    written = [{"record": f"shown:{number}", "expr": expression} for number, expression in enumerate(asked)]
    checked = tmp_path / "shown.yaml"
    checked.write_text(yaml.safe_dump({"groups": [{"name": "shown", "rules": written}]}), encoding="utf-8")
    run(promtool(), "check", "rules", str(checked))


def test_prometheus_reads_the_metrics_of_every_service_where_it_serves_them() -> None:
    jobs = {job["job_name"]: job for job in CONFIG["scrape_configs"]}
    groups = jobs["headrace"]["static_configs"]
    (port,) = re.findall(r"HEALTH_PORT=(\d+)", DOCKERFILE)
    expected = {name: f"{name}:{CONTAINERS[name]['environment'].get('HEALTH_PORT', port)}" for name in SERVICES}
    assert {group["labels"]["service"]: group["targets"][0] for group in groups} == expected
    assert jobs["headrace"]["honor_labels"] is True


def test_what_the_collector_serves_is_what_prometheus_reads() -> None:
    collector = yaml.safe_load((ROOT / "infra/otel/collector.yaml").read_text(encoding="utf-8"))
    port = collector["exporters"]["prometheus"]["endpoint"].rpartition(":")[2]
    # The names in `FOREIGN` are those without suffixes.
    assert collector["exporters"]["prometheus"]["translation_strategy"] == "UnderscoreEscapingWithoutSuffixes"
    jobs = {job["job_name"]: job for job in CONFIG["scrape_configs"]}
    assert jobs["kafka"]["static_configs"] == [{"targets": [f"otel-collector:{port}"]}]
    for name, pipeline in collector["service"]["pipelines"].items():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(collector[kind]), name
    assert collector["receivers"]["kafkametrics"]["brokers"] == [
        compose()["x-service"]["environment"]["HEADRACE_KAFKA_BOOTSTRAP"]
    ]


def test_the_dashboard_is_provisioned_from_sources_that_run() -> None:
    provisioning = GRAFANA / "provisioning"
    sources = yaml.safe_load((provisioning / "datasources/datasources.yaml").read_text(encoding="utf-8"))["datasources"]
    for source in sources:
        host = source["url"].removeprefix("http://").partition(":")[0]
        assert host in CONTAINERS, source["name"]
    uids = {source["uid"] for source in sources}
    for dashboard in DASHBOARDS:
        assert {target["datasource"]["uid"] for panel in panels(dashboard) for target in panel["targets"]} <= uids
    (provider,) = yaml.safe_load((provisioning / "dashboards/dashboards.yaml").read_text(encoding="utf-8"))["providers"]
    mounts = dict(volume.split(":")[:2] for volume in CONTAINERS["grafana"]["volumes"])
    assert mounts["./infra/grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./infra/grafana/provisioning"] == "/etc/grafana/provisioning"


def test_a_dashboard_has_no_two_panels_of_one_number_and_every_panel_says_its_unit() -> None:
    for dashboard in DASHBOARDS:
        described = json.loads(dashboard.read_text(encoding="utf-8"))
        numbers = [panel["id"] for panel in described["panels"]]
        assert len(numbers) == len(set(numbers))
        assert [panel["title"] for panel in panels(dashboard) if not panel["fieldConfig"]["defaults"].get("unit")] == []


def test_what_reads_the_expressions_finds_what_it_is_for() -> None:
    asked = 'sum by (le, model) (rate(headrace_x_total{a="b,c{}", d=~"e"}[5m])) / on (job) group_left up'
    asked += " unless x offset 10m > bool 0.5"
    assert metrics_of(asked) == {"headrace_x_total", "up", "x"}
    assert list(matchers_of(asked)) == [("headrace_x_total", {"a", "d"})]
    assert grouped_by(asked) == {"le", "model", "job"}
