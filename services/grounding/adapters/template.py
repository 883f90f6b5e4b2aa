"""Puts sources into a template's slot."""

import re
from functools import lru_cache
from typing import Final

from jinja2 import DictLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from headrace.messaging.errors import Invalid

# Templates are configuration, yet they arrive by a topic: they may format, and nothing else.
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    loader=DictLoader({}), undefined=StrictUndefined, keep_trailing_newline=False, trim_blocks=True, lstrip_blocks=True
)


# By the slot, not by the words: a template may speak of sources wherever it likes.
_BRANCHES: Final = re.compile(r"\{%-?\s*if\s+(?:not\s+)?sources\b")


def fill(template: str, sources: str) -> str:
    """The template with its slot `{{ sources }}` filled; the sources are data and never run as a template.

    Of a template that does not say what is to be said without sources (`{% if sources %} … {% else %} … {% endif %}`),
    nothing is said without them.
    """
    if not sources and not _BRANCHES.search(template):
        return ""
    try:
        return _compiled(template).render(sources=sources).strip()
    except TemplateError as exc:
        raise Invalid(
            f"sources_template is not usable ({type(exc).__name__}): its one slot is {{{{ sources }}}}",
            code="bad_template",
            field="prepared.sources_template",
        ) from exc


@lru_cache(maxsize=64)
def _compiled(template: str) -> Template:
    return _ENVIRONMENT.from_string(template)
