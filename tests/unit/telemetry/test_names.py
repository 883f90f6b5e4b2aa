from prometheus_client import generate_latest
from prometheus_client.metrics import MetricWrapperBase

from headrace.telemetry import attributes, metrics

# A label with one of these would make a series per user, turn or message: no server holds them.
UNBOUNDED = {"turn_id", "conversation_id", "tenant", "user", "message_id", "key", "offset"}


def all_metrics() -> dict[str, MetricWrapperBase]:
    return {name: value for name, value in vars(metrics).items() if isinstance(value, MetricWrapperBase)}


def test_every_metric_is_ours_by_name_and_bounded_by_label() -> None:
    for metric in all_metrics().values():
        assert metric._name.startswith("headrace_")
        assert not UNBOUNDED & set(metric._labelnames)


def test_every_metric_is_exposed_and_says_what_it_counts() -> None:
    exposed = generate_latest(metrics.REGISTRY).decode()
    for metric in all_metrics().values():
        assert f"# HELP {metric._name}" in exposed
        assert metric._documentation.endswith(".")


def test_a_process_exposes_its_own_memory_and_processor_time() -> None:
    exposed = generate_latest(metrics.REGISTRY).decode()
    assert "process_resident_memory_bytes" in exposed
    assert "process_cpu_seconds_total" in exposed


def test_no_span_attribute_has_two_names() -> None:
    values = [value for name, value in vars(attributes).items() if name.isupper()]
    assert len(values) == len(set(values))
    assert attributes.TURN_ID == "headrace.turn_id"
