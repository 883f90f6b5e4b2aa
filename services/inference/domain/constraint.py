"""What form an answer must have, decided while it is written: the model can say nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnyJson:
    """Some JSON object or array."""


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """JSON that fits this schema, which is JSON text itself."""

    schema: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these texts, word for word."""

    options: tuple[str, ...]


Constraint = AnyJson | JsonSchema | Choice
