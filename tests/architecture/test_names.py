"""Names are data: each topic, metric and span attribute is written once."""

import ast
import re
from collections import Counter
from pathlib import Path

import yaml

from headrace.messaging import topics
from headrace.runtime.pipelines import Pipelines
from tests.architecture.tree import ROOT, files, modules, name

TOPIC = re.compile(r"headrace\.[a-z.{}-]+\.v\d+")
METRICS = ROOT / "libs/headrace/telemetry/metrics.py"
METRIC_TYPES = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}


def strings(path: Path) -> list[tuple[int, str]]:
    """The string literals of a module, without docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    ]


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def test_every_topic_name_is_written_once() -> None:
    home = ROOT / "libs/headrace/messaging/topics.py"
    written = [
        (f"{name(path)}:{line}", match.group())
        for path in modules("libs", "services")
        for line, value in strings(path)
        if (match := TOPIC.search(value))
    ]
    assert not [place for place, _ in written if not place.startswith(name(home))]
    assert not [topic for topic, times in Counter(topic for _, topic in written).items() if times > 1]


def test_every_topic_has_partitions_and_retention_and_nothing_else_has() -> None:
    described = yaml.safe_load((ROOT / "infra/kafka/topics.yaml").read_text(encoding="utf-8"))
    assert set(described["topics"]) == topics.all_topics()


def test_every_topic_that_is_written_about_is_one() -> None:
    written = {
        (name(path), topic)
        for path in files()
        if path.suffix == ".md"
        for topic in re.findall(r"\bheadrace\.[a-z.-]+\.v\d+\b", path.read_text(encoding="utf-8"))
    }
    assert {(place, topic) for place, topic in written if topic not in topics.all_topics()} == set()


def test_metrics_are_made_in_one_module_and_each_once() -> None:
    stray = [
        f"{name(path)}:{call.lineno}"
        for path in modules("libs", "services")
        if path != METRICS and "prometheus_client" in path.read_text(encoding="utf-8")
        for call in calls(path)
        if called(call) in METRIC_TYPES
    ]
    assert not stray
    made = [value for _, value in strings(METRICS) if value.startswith("headrace_")]
    assert made
    assert [metric for metric, times in Counter(made).items() if times > 1] == []


def test_span_attributes_are_named_in_one_module() -> None:
    literal = [
        f"{name(path)}:{call.lineno}"
        for path in modules("libs", "services")
        for call in calls(path)
        if called(call) == "set_attribute" and call.args and isinstance(call.args[0], ast.Constant)
    ]
    assert not literal


def test_pipelines_name_only_stages_that_somebody_consumes() -> None:
    for path in sorted((ROOT / "infra/pipelines").glob("*.yaml")):
        stages = yaml.safe_load(path.read_text(encoding="utf-8"))["stages"]
        assert set(stages) <= set(topics.STAGES), path.name
        assert len(stages) == len(set(stages)), path.name
        # The last stage answers the asker, also for a turn that ended early.
        assert stages[-1] == "postprocessing", path.name


def test_pipelines_are_named_like_their_files() -> None:
    pipelines = Pipelines.load(ROOT / "infra/pipelines")
    assert all(pipelines.get(path.stem).name == path.stem for path in (ROOT / "infra/pipelines").glob("*.yaml"))
