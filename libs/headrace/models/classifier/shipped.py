"""The head of a model whose source is `trained`, from the data that its description names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headrace.models.classifier.encoding import encode
from headrace.models.classifier.training import train
from headrace.models.embedder import Embedder
from headrace.models.fetch import prepare
from headrace.models.spec import ModelSpec, TrainedSource

# Ratings go from -4 to 4, the mean of twenty people; nearer to 0 than this they say neither.
_CLEAR: Final = 0.3
_COLUMNS: Final = 3


def train_shipped(spec: ModelSpec, folder: Path) -> None:
    """Read FOLDER/data, leave the head in FOLDER."""
    if not isinstance(spec.source, TrainedSource) or not isinstance(spec.encoder, ModelSpec):
        raise TypeError(f"{spec.name} is nothing to be trained: its source is {spec.source.type}")
    # By its text: what a source holds twice teaches nothing the second time.
    rows = dict(row for file in spec.source.data.files for row in rated(folder / "data" / file.path))
    encoder = Embedder.load(prepare(spec.encoder), dtype=spec.encoder.dtype)
    encoded = encode(list(rows), encoder, what=f"training {spec.name}")
    labels = [label.name for label in spec.labels]
    train(encoded.grams, encoded.vectors, [int(positive) for positive in rows.values()], labels).save(folder)


def rated(path: Path) -> Iterator[tuple[str, bool]]:
    """Texts, and whether they are positive: lines of id, mean rating and text (Hutto and Gilbert 2014)."""
    for line in path.read_text(encoding="latin-1").splitlines():
        columns = line.split("\t", _COLUMNS - 1)
        if len(columns) == _COLUMNS and abs(rating := float(columns[1])) > _CLEAR:
            yield columns[2].strip(), rating > 0
