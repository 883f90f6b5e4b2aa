"""What the pages say of the contracts is what the gateway does."""

import json
import re
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI

from headrace.messaging import topics
from headrace.messaging.asyncapi import READ, WRITTEN, asyncapi_json
from services.gateway.app import build_app
from services.gateway.domain.openai import chat_request, embeddings
from services.gateway.handlers.documentation import openapi_json
from services.gateway.handlers.rest import RATING
from services.gateway.settings import Settings

DOCUMENT = json.loads(openapi_json(Settings().page_dir))
TOPICS = json.loads(asyncapi_json())
# What shows the contracts, and the page of the chat, are no part of them.
PAGES = {"/", "/docs", "/openapi.json", "/asyncapi", "/asyncapi.json"}


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*(references(each) for each in part.values()))
    return set().union(*(references(each) for each in part)) if isinstance(part, list) else set()


def found(document: dict[str, Any], reference: str) -> Any:
    for name in reference.removeprefix("#/").split("/"):
        document = document[name.replace("~1", "/")]
    return document


def test_the_description_is_openapi() -> None:
    OpenAPI.model_validate(DOCUMENT)


@pytest.mark.parametrize("document", [DOCUMENT, TOPICS], ids=["http", "topics"])
def test_what_is_referred_to_is_there(document: dict[str, Any]) -> None:
    assert all(found(document, reference) for reference in references(document))


def test_every_route_is_described_and_none_that_is_not_there() -> None:
    made = build_app(Settings()).openapi()["paths"]
    routes = {(path, method) for path, item in made.items() if path not in PAGES for method in item}
    described = {(path, method) for path, item in DOCUMENT["paths"].items() for method in item}
    assert described == routes


@pytest.mark.parametrize(
    ("schema", "known"),
    [
        ("ChatCompletionRequest", chat_request.KNOWN),
        ("EmbeddingRequest", embeddings.KNOWN),
        ("Rating", RATING),
    ],
)
def test_the_fields_of_a_body_are_those_that_are_read(schema: str, known: tuple[str, ...]) -> None:
    assert set(DOCUMENT["components"]["schemas"][schema]["properties"]) == set(known)


def test_the_topics_are_those_that_others_write_and_read() -> None:
    addresses = {channel["address"] for channel in TOPICS["channels"].values()}
    assert addresses == {channel.topic for channel in (*WRITTEN, *READ)}
    assert {channel.topic for channel in WRITTEN} == topics.PUBLIC
    assert {operation["action"] for operation in TOPICS["operations"].values()} == {"receive", "send"}


def test_fields_are_named_as_in_json_and_say_what_their_contract_says() -> None:
    prompt = TOPICS["components"]["schemas"]["PromptSubmitted"]
    assert "idempotency key" in prompt["properties"]["turnId"]["description"]
    assert prompt["properties"]["messages"]["items"] == {"$ref": "#/components/schemas/ChatMessage"}
    assert prompt["properties"]["deadline"]["format"] == "date-time"
    status = TOPICS["components"]["schemas"]["ResponseCompleted"]["properties"]["status"]
    assert status["enum"] == ["ANSWERED", "REFUSED", "FAILED", "CANCELLED", "EXPIRED"]


def test_the_pages_load_nothing_from_elsewhere() -> None:
    folder = Settings().page_dir
    for name in ("docs.html", "docs.js", "asyncapi.html", "asyncapi.js", "asyncapi.css"):
        assert not re.search(r"https?://", (folder / name).read_text(encoding="utf-8")), name
