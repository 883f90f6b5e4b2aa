"""What the model is told and nobody else: the texts of `infra/prompts`, without their slots."""

import re
from pathlib import Path
from typing import Final

import yaml

from headrace.messaging.errors import Fatal

_TAG: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
# What a template says to the model. Its question is the asker's.
_TOLD: Final = ("instructions", "sources_template")


def instruction_texts(folder: Path) -> tuple[str, ...]:
    """Every text between two slots of every version of every template."""
    texts: list[str] = []
    for path in sorted(folder.glob("*/*.yaml")):
        try:
            template = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as exc:
            raise Fatal(f"{path} is no prompt template: {exc}") from exc
        for part in _TOLD:
            texts += [text.strip() for text in _TAG.split(str(template.get(part) or "")) if text.strip()]
    return tuple(dict.fromkeys(texts))
