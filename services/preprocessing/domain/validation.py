"""What may be asked: the first thing that is wrong with a request, or nothing."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from headrace.prompts.template import Label, Sampling
from services.preprocessing.domain.forms import check_form
from services.preprocessing.domain.request import Expired, Prompt, Refusal, Rejected, Review

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ROLES: Final = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a request may carry."""

    max_characters: int = 32_000
    max_messages: int = 100
    max_id_characters: int = 200
    max_metadata_entries: int = 32
    max_metadata_characters: int = 1_000
    max_stops: int = 8
    max_stop_characters: int = 64
    max_schema_characters: int = 16_000
    max_choices: int = 64
    max_choice_characters: int = 256
    max_labels: int = 20
    max_label_characters: int = 64
    max_description_characters: int = 500
    max_deadline_seconds: int = 86_400
    max_inputs: int = 256
    max_input_characters: int = 256_000


def check_prompt(prompt: Prompt, limits: Limits, now_ms: int) -> Refusal | None:
    """The first thing that is wrong with a prompt; `None` if it may pass."""
    return next(
        chain(
            _turn_id(prompt.turn_id),
            _ids(prompt.names(), limits),
            _deadline(prompt.deadline_ms, limits, now_ms),
            _words(prompt, limits),
            _sampling(prompt.sampling, limits),
            check_form(
                prompt.form,
                max_schema_characters=limits.max_schema_characters,
                max_choices=limits.max_choices,
                max_choice_characters=limits.max_choice_characters,
            ),
            _metadata(prompt.metadata, limits),
        ),
        None,
    )


def check_review(review: Review, limits: Limits) -> Refusal | None:
    """The first thing that is wrong with a review; `None` if it may pass."""
    return next(
        chain(
            _missing("review_id", review.review_id),
            _ids(review.names(), limits),
            _text("text", review.text, limits),
            _labels(review.labels, limits),
            _metadata(review.metadata, limits),
        ),
        None,
    )


def _turn_id(turn_id: str) -> Iterator[Refusal]:
    if turn_id and not _UUID.fullmatch(turn_id):
        yield Rejected("invalid_turn_id", "turn_id must be a UUID such as 018f4f2e-…, or be left out", "turn_id")


def _ids(named: Mapping[str, str], limits: Limits) -> Iterator[Refusal]:
    for name, value in named.items():
        if len(value) > limits.max_id_characters:
            yield _over(name, len(value), limits.max_id_characters, "characters")
        if _CONTROL.search(value):
            yield Rejected("invalid_characters", f"{name} holds control characters: leave them out", name)


def _missing(name: str, value: str) -> Iterator[Refusal]:
    if not value:
        yield Rejected("missing", f"{name} is empty: give each request its own", name)


def _deadline(deadline_ms: int | None, limits: Limits, now_ms: int) -> Iterator[Refusal]:
    if deadline_ms is None:
        return
    if deadline_ms <= now_ms:
        yield Expired(f"deadline passed {now_ms - deadline_ms} ms before the prompt was read: set a later one")
    elif deadline_ms - now_ms > limits.max_deadline_seconds * 1000:
        ahead = (deadline_ms - now_ms) // 1000
        yield _over("deadline", ahead, limits.max_deadline_seconds, "seconds ahead")


def _words(prompt: Prompt, limits: Limits) -> Iterator[Refusal]:
    if prompt.input:
        yield from _input(prompt, limits)
        return
    if prompt.text and prompt.messages:
        yield Rejected("ambiguous", "text and messages are both set: send one of them", "messages")
    if not prompt.messages:
        yield from _text("text", prompt.text, limits)
        return
    if len(prompt.messages) > limits.max_messages:
        yield _over("messages", len(prompt.messages), limits.max_messages, "messages")
    for index, message in enumerate(prompt.messages):
        if message.role not in _ROLES:
            allowed = ", ".join(_ROLES)
            yield Rejected("invalid_role", f"messages[{index}].role is none of {allowed}", f"messages[{index}].role")
    if (characters := sum(len(message.content) for message in prompt.messages)) > limits.max_characters:
        yield _over("messages", characters, limits.max_characters, "characters")
    last = len(prompt.messages) - 1
    if prompt.messages[last].role != "user":
        yield Rejected("invalid_role", "the last message must be the user's", f"messages[{last}].role")
    yield from _text(f"messages[{last}].content", prompt.messages[last].content, limits)


def _input(prompt: Prompt, limits: Limits) -> Iterator[Refusal]:
    if prompt.text or prompt.messages:
        yield Rejected("ambiguous", "input stands beside text or messages: send one of them", "input")
    if len(prompt.input) > limits.max_inputs:
        yield _over("input", len(prompt.input), limits.max_inputs, "texts")
    for index, text in enumerate(prompt.input):
        yield from _text(f"input[{index}]", text, limits)
    if (characters := sum(map(len, prompt.input))) > limits.max_input_characters:
        yield _over("input", characters, limits.max_input_characters, "characters")


def _text(name: str, text: str, limits: Limits) -> Iterator[Refusal]:
    if not text.strip():
        yield Rejected("empty", f"{name} is empty: it needs at least 1 character that is not white space", name)
    if len(text) > limits.max_characters:
        yield _over(name, len(text), limits.max_characters, "characters")


def _sampling(sampling: Sampling, limits: Limits) -> Iterator[Refusal]:
    yield from _between("sampling.temperature", sampling.temperature, 0, 2)
    yield from _between("sampling.top_p", sampling.top_p, 0, 1)
    if sampling.top_p == 0:
        yield Rejected("out_of_range", "sampling.top_p is 0: it must be above 0 and at most 1", "sampling.top_p")
    if sampling.max_tokens is not None and sampling.max_tokens < 1:
        message = f"sampling.max_tokens is {sampling.max_tokens}: it must be at least 1"
        yield Rejected("out_of_range", message, "sampling.max_tokens")
    yield from _between("sampling.logprobs", sampling.logprobs, 0, 20)
    if len(sampling.stop) > limits.max_stops:
        yield _over("sampling.stop", len(sampling.stop), limits.max_stops, "stop strings")
    for index, stop in enumerate(sampling.stop):
        if not 1 <= len(stop) <= limits.max_stop_characters:
            name = f"sampling.stop[{index}]"
            message = f"{name} has {len(stop)} characters: it must have 1 to {limits.max_stop_characters}"
            yield Rejected("out_of_range", message, name)


def _between(name: str, value: float | None, low: float, high: float) -> Iterator[Refusal]:
    # Written so that NaN is outside.
    if value is not None and not low <= value <= high:
        yield Rejected("out_of_range", f"{name} is {value:g}: it must be from {low:g} to {high:g}", name)


def _metadata(metadata: Mapping[str, str], limits: Limits) -> Iterator[Refusal]:
    if len(metadata) > limits.max_metadata_entries:
        yield _over("metadata", len(metadata), limits.max_metadata_entries, "entries")
    if (longest := _longest(chain(metadata.keys(), metadata.values()))) > limits.max_metadata_characters:
        yield _over("metadata", longest, limits.max_metadata_characters, "characters in one key or value")


def _labels(labels: tuple[Label, ...], limits: Limits) -> Iterator[Refusal]:
    if not labels:
        return
    if len(labels) == 1:
        yield Rejected("too_few", "labels has 1 entry: a choice needs at least 2, or none for the usual set", "labels")
    if len(labels) > limits.max_labels:
        yield _over("labels", len(labels), limits.max_labels, "labels")
    if len({label.name.strip().casefold() for label in labels}) < len(labels):
        yield Rejected("not_unique", "labels repeats a name: each must differ in more than case", "labels")
    for index, label in enumerate(labels):
        name = f"labels[{index}].name"
        if not label.name.strip() or _CONTROL.search(label.name):
            yield Rejected("invalid_label", f"{name} is empty or holds control characters", name)
        if len(label.name) > limits.max_label_characters:
            yield _over(name, len(label.name), limits.max_label_characters, "characters")
        if len(label.description) > limits.max_description_characters:
            name = f"labels[{index}].description"
            yield _over(name, len(label.description), limits.max_description_characters, "characters")


def _longest(texts: Iterable[str]) -> int:
    return max(map(len, texts), default=0)


def _over(name: str, value: int, limit: int, unit: str) -> Rejected:
    return Rejected("too_long", f"{name} has {value:,} {unit}, the limit is {limit:,}: shorten it", name)
