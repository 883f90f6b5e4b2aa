import io
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from headrace.telemetry.logs import configure_logging
from headrace.telemetry.standard import IntoStructlog, Repeats, adopt_standard_logging
from headrace.v1.prompts_pb2 import PromptSubmitted

WORDS = "my password is hunter2"


@dataclass(frozen=True)
class Passage:
    text: str


class Output(io.StringIO):
    def lines(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Iterator[Output]:
    """What is logged, with everything as it was afterwards."""
    monkeypatch.delenv("HEADRACE_TRACE_CONTENT", raising=False)
    monkeypatch.delenv("HEADRACE_LOG_LEVEL", raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = Output()
    configure_logging("probe", stream=stream)
    yield stream
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_says_who_when_what_and_its_bound_facts(out: Output) -> None:
    structlog.get_logger().bind(turn_id="t").info("verdict published", outcome="allow")
    (line,) = out.lines()
    assert line["service"] == "probe"
    assert line["event"] == "verdict published"
    assert (line["turn_id"], line["outcome"], line["level"]) == ("t", "allow", "info")
    assert line["timestamp"].endswith("Z")


def test_a_line_within_a_span_names_it_and_one_outside_does_not(out: Output) -> None:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    log = structlog.get_logger()
    with tracer.start_as_current_span("process safety") as span:
        log.info("inside")
    log.info("outside")
    inside, outside = out.lines()
    assert inside["trace_id"] == f"{span.get_span_context().trace_id:032x}"
    assert inside["span_id"] == f"{span.get_span_context().span_id:016x}"
    assert "trace_id" not in outside


@pytest.mark.parametrize(
    "key", ["text", "content", "prompt", "question", "answer", "comment", "correction", "messages"]
)
def test_words_of_users_are_not_logged(out: Output, key: str) -> None:
    structlog.get_logger().info("judged", **{key: WORDS}, nested={key: WORDS, "n": 1}, rows=[{key: WORDS}])
    assert WORDS not in out.getvalue()
    assert out.lines()[0]["nested"] == {"n": 1}


def test_a_message_or_dataclass_is_named_and_not_spelled_out(out: Output) -> None:
    structlog.get_logger().info("judged", turn=PromptSubmitted(text=WORDS), passage=Passage(WORDS), big=2**80)
    assert WORDS not in out.getvalue()
    assert out.lines()[0]["turn"] == "<PromptSubmitted>"


def test_words_of_users_are_logged_where_they_are_asked_for(out: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_TRACE_CONTENT", "true")
    structlog.get_logger().info("judged", text=WORDS)
    assert out.lines()[0]["text"] == WORDS


def test_an_exception_is_told_without_the_values_around_it(out: Output) -> None:
    def retrieve(question: str) -> None:
        raise ConnectionError(f"qdrant refused {len(question)} characters")

    try:
        retrieve(WORDS)
    except ConnectionError:
        structlog.get_logger().exception("cannot retrieve")
    (line,) = out.lines()
    assert line["exception"] == "ConnectionError: qdrant refused 22 characters"
    assert WORDS not in out.getvalue()


def test_nothing_that_is_logged_makes_logging_fail(out: Output) -> None:
    structlog.get_logger().info("odd", huge=2**80, half="\ud800", raw=b"\xff", numbers={1, 2}, keys={1: object()})
    assert out.lines()[0]["event"] == "odd"


def test_other_libraries_are_heard_from_warnings_up_on_the_same_stream(out: Output) -> None:
    library = logging.getLogger("aiokafka.cluster")
    library.info("topology refreshed")
    library.warning("node %s is gone, 100%%", 3)
    (line,) = out.lines()
    assert (line["logger"], line["event"], line["service"]) == ("aiokafka.cluster", "node 3 is gone, 100%", "probe")


def test_a_library_with_a_console_of_its_own_is_taken_over(out: Output) -> None:
    library = logging.getLogger("faststream.access.test")
    library.propagate = False
    library.addHandler(logging.StreamHandler())
    adopt_standard_logging(logging.INFO)
    library.error("cannot subscribe")
    assert [line["event"] for line in out.lines()] == ["cannot subscribe"]


def test_warnings_are_lines_too(out: Output) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("this will go", DeprecationWarning, stacklevel=1)
    assert out.lines()[0]["logger"] == "py.warnings"


def test_an_unknown_level_is_refused_with_those_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_LOG_LEVEL", "loud")
    with pytest.raises(ValueError, match="use one of debug, info"):
        configure_logging("probe", stream=io.StringIO())


def test_a_warning_that_comes_again_and_again_is_told_once_and_counted() -> None:
    repeats = Repeats(quiet_seconds=10)
    assert repeats.left_out("down", now=0.0) == 0
    assert [repeats.left_out("down", now=second) for second in (1.0, 5.0, 9.9)] == [None, None, None]
    assert repeats.left_out("other", now=5.0) == 0
    assert repeats.left_out("down", now=10.0) == 3


def test_configuring_again_does_not_say_everything_twice(out: Output) -> None:
    configure_logging("probe", stream=out)
    assert sum(isinstance(handler, IntoStructlog) for handler in logging.getLogger().handlers) == 1
