"""The templates of the infra folder, and the errors of a name that is none."""

from pathlib import Path
from typing import Annotated

import typer

from headrace.cli.output import Exit, fail
from headrace.messaging.errors import HeadraceError, Invalid
from headrace.prompts.files import YamlTemplates
from headrace.prompts.template import Template
from headrace.runtime.paths import infra_dir

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reference = Annotated[
    str, typer.Argument(help="A template, such as chat (its latest version) or chat/1.", show_default=False)
]


def templates() -> YamlTemplates:
    """All of them; the command ends where one of the files is broken, with its name."""
    try:
        return YamlTemplates.load(folder())
    except HeadraceError as exc:
        fail(str(exc))


def the_one(known: YamlTemplates, reference: str) -> Template:
    """The template of this name; the command ends where there is none."""
    try:
        return known.get(reference, field="template")
    except Invalid as exc:
        fail(str(exc), Exit.USAGE)


def folder() -> Path:
    """Where templates lie."""
    return infra_dir() / "prompts"


def source(template: Template) -> str:
    """The file of one version, as it was written."""
    return (folder() / template.name / f"{template.version}.yaml").read_text(encoding="utf-8")
