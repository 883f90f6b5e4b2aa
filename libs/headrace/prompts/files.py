"""Prompt templates from `infra/prompts/<name>/<version>.yaml`, rendered by jinja2 in its sandbox."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import jinja2
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from headrace.messaging.errors import Fatal, Invalid
from headrace.prompts.template import Cache, Label, Message, Rendered, Sampling, Slots, Template
from headrace.runtime.misfits import misfit

_TRIAL = Slots(text="t", language="en", labels=(Label("l", "d"), Label("m")), client_instructions="c")


# What every template may use.
_COMMON = frozenset(Slots.__slots__) - {"own"}
SlotName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Example(_Part):
    question: str
    answer: str


class _Label(_Part):
    name: str
    description: str = ""


class _Sampling(_Part):
    temperature: float = Field(ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    max_tokens: int = Field(ge=1)
    seed: int | None = None
    stop: tuple[str, ...] = ()


class _Slot(_Part):
    default: str = ""
    description: str = ""


class _File(_Part):
    takes: Literal["prompt", "review"]
    description: str = ""
    slots: Mapping[SlotName, _Slot] = Field(default_factory=dict)
    instructions: str
    question: str
    examples: tuple[_Example, ...] = ()
    # A question whose answer is the label's name, for each label; its slot is `label`.
    label_example: str = ""
    sources_template: str = ""
    sampling: _Sampling
    cache: Cache
    typos: Literal["leave", "correct"] = "leave"
    polish: Literal["", "grammar", "formal"] = ""
    labels: tuple[_Label, ...] = ()

    @field_validator("slots")
    @classmethod
    def _no_other_meaning(cls, slots: Mapping[str, _Slot]) -> Mapping[str, _Slot]:
        if taken := sorted(_COMMON & slots.keys()):
            raise ValueError(f"{', '.join(taken)}: every template has this slot, name yours otherwise")
        return slots


@dataclass(frozen=True, slots=True)
class _Compiled:
    template: Template
    instructions: jinja2.Template
    question: jinja2.Template
    examples: tuple[Message, ...]
    label_example: jinja2.Template | None


class YamlTemplates:
    """All versions of all templates, compiled once."""

    def __init__(self, compiled: Mapping[tuple[str, str], _Compiled]) -> None:
        self._compiled = dict(compiled)

    @classmethod
    def load(cls, folder: Path) -> "YamlTemplates":
        """Read and try out every file; one that does not fit, or asks for an unknown slot, is `Fatal` and named."""
        environment = ImmutableSandboxedEnvironment(
            undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
        )
        compiled = {}
        for path in sorted(folder.glob("*/*.yaml")):
            try:
                read = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
                one = _compile(path.parent.name, path.stem, read, environment)
                _render(one, _TRIAL)
            except (ValidationError, yaml.YAMLError, jinja2.TemplateError) as exc:
                raise Fatal(f"{path} is no prompt template: {misfit(exc)}") from exc
            compiled[path.parent.name, path.stem] = one
        if not compiled:
            raise Fatal(f"no prompt templates in {folder}: set HEADRACE_INFRA_DIR to the folder that holds prompts/")
        return cls(compiled)

    def get(self, reference: str, *, field: str = "pipeline") -> Template:
        name, _, version = reference.partition("/")
        versions = [known for known_name, known in self._compiled if known_name == name]
        if not versions or (version and version not in versions):
            known = ", ".join("/".join(key) for key in sorted(self._compiled))
            whose = "the pipeline's template" if field == "pipeline" else "template"
            raise Invalid(
                f"{whose} {reference!r} is not there: use one of {known}", code="unknown_template", field=field
            )
        return self._compiled[name, version or max(versions, key=_age)].template

    def all(self) -> Sequence[Template]:
        """Every version of every template, the oldest of each first."""
        by_age = sorted(self._compiled, key=lambda key: (key[0], _age(key[1])))
        return [self._compiled[key].template for key in by_age]

    def render(self, template: Template, slots: Slots) -> Rendered:
        return _render(self._compiled[template.name, template.version], slots)


def _compile(name: str, version: str, read: _File, environment: jinja2.Environment) -> _Compiled:
    template = Template(
        name=name,
        version=version,
        takes=read.takes,
        sampling=Sampling(**dict(read.sampling)),
        cache=read.cache,
        sources_template=read.sources_template.strip(),
        labels=tuple(Label(label.name, label.description) for label in read.labels),
        slots={name: slot.default for name, slot in read.slots.items()},
        description=read.description,
        polish=read.polish,
        corrects_typos=read.typos == "correct",
    )
    examples = tuple(
        message
        for example in read.examples
        for message in (Message("user", example.question.strip()), Message("assistant", example.answer.strip()))
    )
    return _Compiled(
        template,
        environment.from_string(read.instructions),
        environment.from_string(read.question),
        examples,
        environment.from_string(read.label_example) if read.label_example else None,
    )


def _render(compiled: _Compiled, slots: Slots) -> Rendered:
    own = compiled.template.slots
    values = {name: getattr(slots, name) for name in _COMMON} | {name: slots.own.get(name, own[name]) for name in own}
    return Rendered(
        instructions=compiled.instructions.render(values).strip(),
        # Not stripped: the indentation of a first line of code is the asker's.
        question=compiled.question.render(values),
        examples=(*compiled.examples, *_labels_shown(compiled, slots)),
    )


def _labels_shown(compiled: _Compiled, slots: Slots) -> Iterator[Message]:
    if compiled.label_example is None:
        return
    for label in slots.labels:
        yield Message("user", compiled.label_example.render(label=label).strip())
        yield Message("assistant", label.name)


def _age(version: str) -> tuple[int, str]:
    # "10" is later than "9".
    return (int(version), "") if version.isdecimal() else (-1, version)
