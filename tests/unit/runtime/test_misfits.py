import pytest
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from headrace.runtime.misfits import misfit


class Part(BaseModel):
    size: int


class File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    part: Part

    @field_validator("name")
    @classmethod
    def _short(cls, name: str) -> str:
        if len(name) > 3:
            raise ValueError("a name has three letters at most")
        return name


def told(content: dict[str, object]) -> str:
    with pytest.raises(ValidationError) as caught:
        File.model_validate(content)
    return misfit(caught.value)


def test_each_place_is_named_with_its_reason_and_nothing_of_what_stood_there() -> None:
    said = told({"name": "hunter2", "part": {"size": "large"}, "colour": "red"})
    assert said == (
        "name: a name has three letters at most; part.size: Input should be a valid integer, unable to parse string as "
        "an integer; colour: Extra inputs are not permitted"
    )


def test_of_many_the_first_are_told() -> None:
    said = told({"name": "a", "part": {"size": 1}, **{f"x{number}": 0 for number in range(8)}})
    assert said.endswith("; and 3 more")
    assert said.count("Extra inputs") == 5


def test_what_no_parser_could_read_is_one_line() -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        yaml.safe_load("a: [1\nb: 2")
    assert "\n" not in misfit(caught.value)
    assert "line 2" in misfit(caught.value)
