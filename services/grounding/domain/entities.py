"""Entities: names that a corpus knows (its documents, entries of its glossaries), found in a question and linked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.grounding.domain.analysis import Term, terms

Kind = Literal["document", "term"]

_MAX_WORDS: Final = 10
# A name of one short word is one only in the letters in which it was given: "IT" is not "it".
_SHORT_CHARACTERS: Final = 3


@dataclass(frozen=True, slots=True)
class Entity:
    """Something with a name: a document, or an entry of a glossary that a document holds."""

    id: str
    kind: Kind
    name: str
    document_id: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a text names an entity: characters [start, end)."""

    start: int
    end: int
    text: str
    entity: Entity


class Gazetteer:
    """All names of a corpus; a look-up costs as much as the text is long, however many names there are."""

    def __init__(self, entities: Iterable[Entity] = ()) -> None:
        self._names: dict[tuple[str, ...], list[tuple[Entity, str]]] = {}
        self._longest: dict[str, int] = {}
        for entity in entities:
            for name in dict.fromkeys((entity.name, *entity.aliases)):
                self._add(entity, name)

    def __len__(self) -> int:
        return len(self._names)

    def find(self, text: str) -> list[Mention]:
        """Names in the text, the longest first at each place, none within another; an entry goes before a title."""
        words = terms(text)
        mentions: list[Mention] = []
        at = 0
        while at < len(words):
            found = self._at(text, words, at)
            if found is None:
                at += 1
                continue
            length, entity = found
            start, end = words[at].start, words[at + length - 1].end
            mentions.append(Mention(start, end, text[start:end], entity))
            at += length
        return mentions

    def _add(self, entity: Entity, name: str) -> None:
        words = terms(name)
        if not 0 < len(words) <= _MAX_WORDS or (all(word.stop for word in words) and not name.isupper()):
            return
        key = tuple(word.stem for word in words)
        named = self._names.setdefault(key, [])
        named.append((entity, name))
        named.sort(key=lambda pair: pair[0].kind != "term")
        self._longest[key[0]] = max(self._longest.get(key[0], 0), len(key))

    def _at(self, text: str, words: Sequence[Term], at: int) -> tuple[int, Entity] | None:
        for length in range(min(self._longest.get(words[at].stem, 0), len(words) - at), 0, -1):
            run = words[at : at + length]
            for entity, name in self._names.get(tuple(word.stem for word in run), ()):
                if length > 1 or len(name) > _SHORT_CHARACTERS or text[run[0].start : run[0].end] == name:
                    return length, entity
        return None


def expanded(question: str, mentions: Sequence[Mention]) -> str:
    """The question with the full name of whatever it calls by another."""
    said = " ".join(term.stem for term in terms(question))
    names = dict.fromkeys(
        mention.entity.name
        for mention in mentions
        if mention.entity.kind == "term" and " ".join(term.stem for term in terms(mention.entity.name)) not in said
    )
    return f"{question} ({', '.join(names)})" if names else question


def entries(document_id: str, sections: Mapping[str, str]) -> list[Entity]:
    """The entries of a glossary: its sections by their headings; a line `Aliases: …` gives the other names of one."""
    return [
        Entity(f"{document_id}#{_slug(name)}", "term", name, document_id, _aliases(text))
        for name, text in sections.items()
    ]


def listed(names: str) -> tuple[str, ...]:
    """Names in one line, parted by semicolons or commas."""
    separator = ";" if ";" in names else ","
    return tuple(dict.fromkeys(name for part in names.split(separator) if (name := part.strip(" \t.*_`\"'"))))


def _aliases(text: str) -> tuple[str, ...]:
    for line in text.splitlines():
        label, colon, names = line.strip(" \t*_-").partition(":")
        if colon and label.strip(" *_").casefold() in {"alias", "aliases", "also", "also called", "abbreviation"}:
            return listed(names)
    return ()


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name.casefold()).split())
