"""Prompts: attacks and hard harmless ones of public test splits, and the same behind encodings."""

import base64
import codecs
import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Final

# Kinds of the neuralchemy collection that are no attempt to take over a model: they ask for harm or for code to be run.
_OTHER_HARM: Final = frozenset({"adversarial", "code_execution", "edge_case", "benign"})
_ENCODED: Final = frozenset({"encoding", "encoding_obfuscation", "token_smuggling"})
_LOOK_ALIKE: Final = str.maketrans(
    "aeopcxiAEOPCX", "\u0430\u0435\u043e\u0440\u0441\u0445\u0456\u0410\u0415\u041e\u0420\u0421\u0425"
)
_LEET: Final = str.maketrans("oiea", "0134")
_WIDE: Final = 0xFEE0
ENCODINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "zero-width": "\u200b".join,
    "homoglyphs": lambda text: text.translate(_LOOK_ALIKE),
    "full width": lambda text: "".join(chr(ord(char) + _WIDE) if "!" <= char <= "~" else char for char in text),
    "reversed": lambda text: text[::-1],
    "leet": lambda text: text.translate(_LEET),
    "spaced": lambda text: "   ".join(" ".join(word) for word in text.split()),
}


# Ways of spelling that people also use in play.
SPELLINGS: Final = frozenset({"leet", "spaced"})


def s_labs(folder: Path) -> tuple[list[str], list[str]]:
    """Attacks and harmless prompts of the test split (S-Labs, MIT)."""
    with (folder / "test.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["label"] == "1") for row in csv.DictReader(file)]
    return [text for text, attack in rows if attack], [text for text, attack in rows if not attack]


def neuralchemy(folder: Path) -> tuple[list[str], list[str]]:
    """Attempts to take over a model, and harmless prompts, of the test split (neuralchemy, Apache-2.0)."""
    import pyarrow.parquet as pq

    rows = pq.read_table(folder / "test.parquet").to_pylist()
    kinds = _OTHER_HARM | _ENCODED
    attacks = [
        row["text"] for row in rows if row["label"] and row["category"] not in kinds and row["source"] != "harmbench"
    ]
    return attacks, [row["text"] for row in rows if not row["label"]]


def some(texts: list[str], most: int, seed: int = 7) -> list[str]:
    """At most so many of them, the same ones each time."""
    return Random(seed).sample(texts, min(most, len(texts)))  # noqa: S311 - a sample, not a secret
