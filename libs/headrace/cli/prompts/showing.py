"""`headrace prompts list` and `show`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from headrace.cli.output import fail, out, print_json
from headrace.cli.prompts.reading import AsJson, Reference, source, templates, the_one
from headrace.messaging.errors import HeadraceError
from headrace.prompts.template import Template
from headrace.runtime.paths import infra_dir
from headrace.runtime.pipelines import Pipelines

_STATUS: Final = "Exit status: 0 done, 1 a file is no template, 2 there is no such template."
LIST_EPILOG: Final = f"""{_STATUS}

Examples:

  headrace prompts list

  headrace prompts list --json
"""
EPILOG: Final = f"""{_STATUS}

Examples:

  headrace prompts show chat

  headrace prompts show rewrite/1 --json
"""


def list_prompts(*, as_json: AsJson = False) -> None:
    """List every version of every template, and which pipelines take it."""
    known, users = templates().all(), _users()
    rows = [_facts(each, _taken_by(each, known, users)) for each in known]
    if as_json:
        print_json(rows)
        return
    table = Table(box=None)
    for column in ("template", "takes", "slots", "pipelines", "what it does"):
        table.add_column(column)
    for row in rows:
        table.add_row(
            row["template"], row["takes"], ", ".join(row["slots"]), ", ".join(row["pipelines"]), row["description"]
        )
    out.print(table)


def show_prompt(reference: Reference, *, as_json: AsJson = False) -> None:
    """Show one version as it is written."""
    known = templates()
    template = the_one(known, reference)
    if as_json:
        print_json({**_facts(template, _taken_by(template, known.all(), _users())), "source": source(template)})
    else:
        out.print(escape(source(template)), highlight=False, soft_wrap=True)


def _facts(template: Template, pipelines: list[str]) -> dict[str, Any]:
    sampling = template.sampling
    return {
        "template": f"{template.name}/{template.version}",
        "takes": template.takes,
        "description": template.description,
        "slots": dict(template.slots),
        "pipelines": pipelines,
        "sampling": {name: getattr(sampling, name) for name in ("temperature", "top_p", "max_tokens", "seed")},
        "cache": template.cache,
    }


def _taken_by(template: Template, known: Sequence[Template], users: Mapping[str, list[str]]) -> list[str]:
    """The pipelines of one version: those that name it, and for the latest those that name the template alone."""
    latest = [each for each in known if each.name == template.name][-1]
    names = [f"{template.name}/{template.version}", *([template.name] if latest == template else [])]
    return sorted(pipeline for name in names for pipeline in users.get(name, ()))


def _users() -> dict[str, list[str]]:
    """The pipelines that take each template, by how they name it."""
    try:
        pipelines = Pipelines.load(infra_dir() / "pipelines")
    except HeadraceError as exc:
        fail(str(exc))
    users: dict[str, list[str]] = {}
    for pipeline in pipelines.all():
        if reference := pipeline.settings.get("template"):
            users.setdefault(reference, []).append(pipeline.name)
    return users
