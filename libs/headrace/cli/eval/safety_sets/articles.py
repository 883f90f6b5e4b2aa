"""Passages of the articles of a bank that the head of hidden instructions has not learned from."""

import gzip
import hashlib
import json
from pathlib import Path
from random import Random
from typing import Final

_PASSAGE: Final = 800


def passages(path: Path) -> list[str]:
    """Passages of about 800 characters. Half of the articles, by their hash, are the head's to learn from."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        articles = [article["content"] for article in json.load(file)]
    kept = [text for text in articles if hashlib.sha256(text.encode()).digest()[0] % 2]
    return [passage for text in kept for passage in _cut(text)]


def hidden_in(passage: str, attack: str, chance: Random) -> str:
    """The passage with an attack between two of its lines."""
    lines = passage.splitlines(keepends=True)
    at = chance.randrange(len(lines)) + 1
    return "".join((*lines[:at], attack.strip(), "\n", *lines[at:]))


def _cut(text: str) -> list[str]:
    found, current = [], ""
    for line in text.splitlines(keepends=True):
        if current and len(current) + len(line) > _PASSAGE:
            found.append(current)
            current = ""
        current += line
    return [*found, current] if current.strip() else found
