import pytest
from pydantic import BaseModel, ValidationError

from headrace.telemetry.failures import causes, describe, frames


class Frame(BaseModel):
    seq: int


def test_an_exception_is_told_by_type_and_message_on_one_line() -> None:
    assert describe(ConnectionError("refused\n  by peer")) == "ConnectionError: refused by peer"
    assert describe(TimeoutError()) == "TimeoutError"


def test_what_was_typed_is_not_quoted_by_a_validation_error() -> None:
    with pytest.raises(ValidationError) as caught:
        Frame.model_validate({"seq": "my password is hunter2"})
    assert describe(caught.value) == "ValidationError: seq: int_parsing"


def test_a_message_is_cut_before_it_fills_a_disk() -> None:
    assert len(describe(ValueError("x" * 100_000))) < 600


def look_up(partitions: dict[str, int]) -> int:
    return partitions["hunter2"[:4] + "-0"]


def seek() -> None:
    password = "hunter2"
    try:
        look_up({password: 1})
    except KeyError as exc:
        raise ValueError("no such partition") from exc


def seek_in_silence() -> None:
    try:
        look_up({})
    except KeyError:
        raise ValueError("no such partition") from None


def test_what_led_to_it_is_told_and_where_without_values() -> None:
    with pytest.raises(ValueError, match="no such") as caught:
        seek()
    assert causes(caught.value) == ["KeyError: 'hunt-0'"]
    assert frames(caught.value)[-1].endswith("in seek")
    assert "hunter2" not in "".join([*frames(caught.value), *causes(caught.value)])


def test_a_suppressed_context_is_not_told() -> None:
    with pytest.raises(ValueError, match="no such") as caught:
        seek_in_silence()
    assert causes(caught.value) == []
