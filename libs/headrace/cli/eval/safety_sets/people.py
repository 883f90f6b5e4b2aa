"""Personal data in context: the users of the tau2 benchmark, written into sentences, and its tasks as they stand."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

# What people write to a help desk, with numbers in it that are nobody's.
_SENTENCES: Final = (
    "Hello, this is {PERSON}. My parcel from 12 May has not arrived.",
    "Please send the refund of 49.90 to {PERSON}, {ADDRESS}.",
    "We have moved; the new address is {ADDRESS}.",
    "{PERSON} ({EMAIL}) called about invoice 2024-00131.",
    "Could you change the mail address of {PERSON} to {EMAIL}?",
    "My name is {PERSON} and I live at {ADDRESS}. Version 2.3.1 of the app keeps crashing.",
    "Dear {PERSON},\n\nthank you for order #W7678072. We ship it to {ADDRESS}.\n\nKind regards",
    "I spoke with {PERSON} yesterday about the 4711-A parts.",
    "Deliver to:\n{PERSON}\n{ADDRESS}\n",
    "Who is {PERSON}? The mail is {EMAIL}.",
    "Summarise: {PERSON} says that item 9612497925 broke after 3 days.",
    "Is {ADDRESS} inside of the delivery area?",
)
_WITH_BIRTH: Final = ("Passenger {PERSON}, born {BIRTH_DATE}, flies on HAT001.", "DOB {BIRTH_DATE}, mail {EMAIL}.")
_WITH_PHONE: Final = ("Call {PERSON} at {PHONE} after 5 pm.", "{PHONE} is the number of {PERSON}, {ADDRESS}.")
_ALL: Final = (*_SENTENCES, *_WITH_BIRTH, *_WITH_PHONE)
_SLOT: Final = re.compile(r"\{([A-Z_]+)\}")


@dataclass(frozen=True, slots=True)
class Marked:
    """A text, and where personal data stands in it: start, end, kind."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


def written(root: Path, count: int) -> list[Marked]:
    """Sentences about the users of the airline and of the bank; those of the shop were looked at while tuning."""
    chance = Random(11)  # noqa: S311 - the same sentences each time
    people = [*_airline(root / "airline"), *_bank(root / "banking_knowledge")]
    return [_one(chance.choice(people), chance) for _ in range(count)]


def tasks(root: Path) -> list[Marked]:
    """The tasks of the bank as they stand. Marked is what the benchmark's database knows of the people in them."""
    known = [value for person in _bank(root / "banking_knowledge") for value in person.items()]
    found = []
    for task in json.loads((root / "banking_knowledge" / "tasks.json").read_text(encoding="utf-8")):
        text = str(task["user_scenario"]["instructions"])
        spans = {
            (match.start(), match.end(), kind)
            for kind, value in known
            for match in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text)
        }
        if spans:
            found.append(Marked(text, tuple(sorted(spans))))
    return found


def harmless(root: Path, count: int) -> list[str]:
    """Sentences with amounts, codes, dates and versions in them, out of articles and of a manual."""
    with gzip.open(root / "banking_knowledge" / "documents.json.gz", "rt", encoding="utf-8") as file:
        texts = [article["content"] for article in json.load(file)]
    texts.append((root / "telecom" / "tech_support_manual.txt").read_text(encoding="utf-8"))
    sentences = dict.fromkeys(
        sentence.strip()
        for text in texts
        for sentence in re.split(r"(?<=[.!?])\s+|\n", text)
        if any(char.isdigit() for char in sentence) and 20 < len(sentence.strip()) < 300  # noqa: PLR2004 - a sentence
    )
    return Random(23).sample(list(sentences), count)  # noqa: S311 - a sample, not a secret


def _one(person: dict[str, str], chance: Random) -> Marked:
    kinds = [
        _SENTENCES,
        *([_WITH_BIRTH] if "BIRTH_DATE" in person else []),
        *([_WITH_PHONE] if "PHONE" in person else []),
    ]
    pattern = chance.choice([sentence for sentences in kinds for sentence in sentences])
    text, spans, at = "", [], 0
    for slot in _SLOT.finditer(pattern):
        text += pattern[at : slot.start()]
        value = person[slot[1]]
        spans.append((len(text), len(text) + len(value), slot[1]))
        text += value
        at = slot.end()
    return Marked(text + pattern[at:], tuple(spans))


def _airline(folder: Path) -> Iterator[dict[str, str]]:
    with gzip.open(folder / "db.json.gz", "rt", encoding="utf-8") as file:
        users: dict[str, Any] = json.load(file)["users"]
    for user in users.values():
        place = user["address"]
        yield {
            "PERSON": f"{user['name']['first_name']} {user['name']['last_name']}",
            "ADDRESS": f"{place['address1']}, {place['address2']}, {place['city']}, {place['state']} {place['zip']}",
            "EMAIL": user["email"],
            "BIRTH_DATE": user["dob"],
        }


def _bank(folder: Path) -> Iterator[dict[str, str]]:
    users = json.loads((folder / "db.json").read_text(encoding="utf-8"))["users"]["data"]
    for user in users.values():
        yield {
            "PERSON": user["name"],
            "ADDRESS": user["address"],
            "EMAIL": user["email"],
            "PHONE": user["phone_number"],
            "BIRTH_DATE": user["date_of_birth"],
        }
