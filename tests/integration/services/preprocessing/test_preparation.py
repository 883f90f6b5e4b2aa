"""From a request to its prepared section, with the repository's own templates, models and tokenizers."""

import pytest

from headrace.messaging.contract import End, Next, StageResult
from headrace.models.fetch import prepare_tokenizer
from headrace.models.registry import Registry, load_registry
from headrace.models.tokenizer import ChatTokenizer
from headrace.runtime.paths import infra_dir
from headrace.runtime.service import IntakeStage, Service
from headrace.v1.prompts_pb2 import ChatMessage, PromptSubmitted, ResponseFormat, Sampling
from headrace.v1.responses_pb2 import ResponseCompleted
from headrace.v1.reviews_pb2 import Label, ReviewSubmitted
from headrace.v1.turns_pb2 import Prepared
from services.preprocessing.adapters.models import RegistryModels
from services.preprocessing.app import build_app
from services.preprocessing.settings import Settings
from tests.fakes.contexts import NOW_MS, a_context

# One loop and one service, so that tokenizers are loaded once.
pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def service() -> Service:
    return build_app(Settings())


async def handle(service: Service, request: PromptSubmitted | ReviewSubmitted) -> StageResult:
    stage = next(
        stage for stage in service.stages if isinstance(stage, IntakeStage) and isinstance(request, stage.message)
    )
    return await stage.handler(stage.open(request, a_context()), a_context())


async def prepared(service: Service, request: PromptSubmitted | ReviewSubmitted) -> Prepared:
    result = await handle(service, request)
    assert isinstance(result, Next)
    assert isinstance(result.section, Prepared)
    return result.section


async def refused(service: Service, request: PromptSubmitted | ReviewSubmitted) -> End:
    result = await handle(service, request)
    assert isinstance(result, End)
    return result


async def test_a_prompt_is_normalised_rendered_and_counted(service: Service) -> None:
    section = await prepared(service, PromptSubmitted(text="  How long is the \u200bdelivery?"))
    assert section.text == section.question == "How long is the delivery?"
    assert (section.language, section.template, section.template_version) == ("en", "chat", "1")
    assert list(section.normalisations) == ["zero_width", "edges"]
    assert section.model == "smollm2-135m-instruct"
    assert section.sampling.temperature == pytest.approx(0.2)
    assert section.sampling.max_tokens == section.budget.max_new_tokens == 256
    assert not section.sampling.HasField("seed")
    assert section.cacheable


async def test_tokens_are_those_of_the_chosen_model(service: Service) -> None:
    section = await prepared(service, PromptSubmitted(text="How long is the delivery?"))
    spec = load_registry(infra_dir() / "models").get(section.model)
    tokenizer = ChatTokenizer.load(prepare_tokenizer(spec))
    chat = [("system", section.instructions), ("user", section.question)]
    assert section.budget.used == tokenizer.count_messages(chat)
    budget = section.budget
    assert budget.remaining == spec.limits.context_window - budget.used - budget.max_new_tokens


async def test_a_clients_messages_become_instructions_history_and_question(service: Service) -> None:
    messages = [("system", "Be a cat."), ("user", "Who are you?"), ("assistant", "Meow."), ("user", "Really?")]
    section = await prepared(
        service,
        PromptSubmitted(
            messages=[ChatMessage(role=role, content=content) for role, content in messages],
            sampling=Sampling(temperature=0, seed=7, max_tokens=20),
            response_format=ResponseFormat(type="json_object"),
        ),
    )
    assert section.instructions == "Be a cat.\nAnswer with a JSON object, and with nothing else."
    assert [(message.role, message.content) for message in section.history] == messages[1:3]
    assert section.question == "Really?"
    assert (section.sampling.seed, section.sampling.max_tokens) == (7, 20)
    assert section.response_format.type == "json_object"


async def test_the_oldest_exchanges_go_where_not_all_fit_and_the_turn_says_so(service: Service) -> None:
    past = [
        ChatMessage(role=role, content=f"{number} " + "word " * 300)
        for number in range(10)
        for role in ("user", "assistant")
    ]
    section = await prepared(service, PromptSubmitted(messages=[*past, ChatMessage(role="user", content="And now?")]))
    kept = len(section.history)
    assert 0 < kept < len(past)
    assert section.trimmed_messages == len(past) - kept
    assert [message.content for message in section.history] == [
        message.content.strip() for message in past[len(past) - kept :]
    ]
    assert section.history[0].role == "user"
    # The answer keeps its usual length, and there is room for sources.
    assert section.budget.max_new_tokens == 256
    assert section.budget.remaining >= 512
    more = await prepared(
        service, PromptSubmitted(messages=[*past[-kept - 2 :], ChatMessage(role="user", content="And now?")])
    )
    assert len(more.history) == kept


async def test_a_question_that_is_too_long_by_itself_is_refused_whatever_came_before(service: Service) -> None:
    messages = [
        ChatMessage(role="user", content="Hi"),
        ChatMessage(role="assistant", content="Hello"),
        ChatMessage(role="user", content="word " * 5_000),
    ]
    end = await refused(service, PromptSubmitted(messages=messages))
    assert end.error is not None
    assert (end.error.code, end.error.field) == ("too_long", "messages[2].content")


async def test_a_client_may_choose_a_template_and_fill_its_slots(service: Service) -> None:
    section = await prepared(
        service,
        PromptSubmitted(
            messages=[
                ChatMessage(role="user", content="Hi"),
                ChatMessage(role="assistant", content="Hello"),
                ChatMessage(role="user", content="ship it"),
            ],
            template="rewrite",
            metadata={"tone": "formal", "colour": "red"},
        ),
    )
    assert (section.template, section.template_version) == ("rewrite", "1")
    assert "in a formal tone for a customer" in section.instructions
    assert [message.role for message in section.examples] == ["user", "assistant", "user", "assistant"]
    assert [message.content for message in section.history] == ["Hi", "Hello"]


async def test_texts_to_be_made_vectors_stay_as_they_are(service: Service) -> None:
    section = await prepared(service, PromptSubmitted(input=["  One\u200b ", "Two"], pipeline="embeddings"))
    assert list(section.input) == ["  One\u200b ", "Two"]
    assert (section.model, section.question, section.template) == ("all-minilm-l6-v2", "", "")


async def test_a_review_brings_its_labels_or_gets_the_usual_ones(service: Service) -> None:
    usual = await prepared(service, ReviewSubmitted(review_id="r1", text="Broke on day one."))
    assert [label.name for label in usual.labels] == ["negative", "positive"]
    assert (usual.model, usual.instructions) == ("review-sentiment", "")
    labels = [Label(name="late"), Label(name="broken")]
    own = await prepared(service, ReviewSubmitted(review_id="r2", text="Broke on day one.", labels=labels))
    assert list(own.labels) == labels
    assert "broken" in own.instructions
    assert own.model == "smollm2-135m-instruct"
    assert own.text == "Broke on day one."


async def test_a_model_labels_in_the_words_of_its_own_template() -> None:
    registry = load_registry(infra_dir() / "models")
    chatty = registry.get("smollm2-135m-instruct").model_copy(update={"label_template": "classify-last"})
    specs = {name: registry.get(name) for name in registry.names} | {chatty.name: chatty}
    service = build_app(Settings(), models=RegistryModels(Registry(specs)))
    section = await prepared(service, ReviewSubmitted(review_id="r1", text="Broke on day one.", model=chatty.name))
    assert (section.template, section.question) == ("classify-last", "Broke on day one.\n\nClass:")
    assert {label.name for label in section.labels} == {"positive", "negative"}
    asked = await prepared(service, PromptSubmitted(text="Broke on day one.", model=chatty.name))
    assert asked.template == "chat"


@pytest.mark.parametrize(
    ("request_", "code", "field"),
    [
        (PromptSubmitted(), "empty", "text"),
        (PromptSubmitted(text="\u200b\u200b"), "empty", "text"),
        (PromptSubmitted(text="word " * 5_000), "too_long", "text"),
        (PromptSubmitted(text="x" * 40_000), "too_long", "text"),
        (PromptSubmitted(text="Hello?", pipeline="nope"), "unknown_pipeline", "pipeline"),
        (PromptSubmitted(text="Hello?", pipeline="reviews"), "wrong_pipeline", "pipeline"),
        (PromptSubmitted(text="Hello?", model="nope"), "unknown_model", "model"),
        (PromptSubmitted(text="Hello?", model="all-minilm-l6-v2"), "unknown_model", "model"),
        (PromptSubmitted(text="Hello?", template="nope"), "unknown_template", "template"),
        (PromptSubmitted(text="Hello?", template="classify"), "wrong_template", "template"),
        (PromptSubmitted(input=["One"]), "wrong_pipeline", "pipeline"),
        (PromptSubmitted(text="Hello?", pipeline="embeddings"), "wrong_pipeline", "input"),
        (PromptSubmitted(input=["One"], text="Two", pipeline="embeddings"), "ambiguous", "input"),
        (PromptSubmitted(input=["One", " "], pipeline="embeddings"), "empty", "input[1]"),
        (PromptSubmitted(input=["x"] * 257, pipeline="embeddings"), "too_long", "input"),
        (PromptSubmitted(input=["x" * 30_000] * 9, pipeline="embeddings"), "too_long", "input"),
        (
            PromptSubmitted(input=["One"], pipeline="embeddings", model="smollm2-135m-instruct"),
            "unknown_model",
            "model",
        ),
        (PromptSubmitted(text="Hello?", sampling=Sampling(max_tokens=9_999)), "out_of_range", "sampling.max_tokens"),
        (ReviewSubmitted(text="Nice."), "missing", "review_id"),
        (ReviewSubmitted(review_id="r1", text="x" * 40_000), "too_long", "text"),
        (ReviewSubmitted(review_id="r1", text="word " * 5_000, model="smollm2-135m-instruct"), "too_long", "text"),
        (ReviewSubmitted(review_id="r1", text="Nice.", pipeline="chat"), "wrong_pipeline", "pipeline"),
    ],
)
async def test_what_cannot_be_served_names_its_field(
    service: Service, request_: PromptSubmitted | ReviewSubmitted, code: str, field: str
) -> None:
    end = await refused(service, request_)
    assert end.status == ResponseCompleted.FAILED
    assert end.error is not None
    assert (end.error.code, end.error.field, end.error.retryable) == (code, field, False)


async def test_an_over_long_prompt_is_told_its_tokens_and_the_limit(service: Service) -> None:
    end = await refused(service, PromptSubmitted(text="word " * 5_000))
    assert end.error is not None
    assert "tokens" in end.error.message
    assert "4,032" in end.error.message


async def test_a_prompt_whose_deadline_has_passed_expires(service: Service) -> None:
    prompt = PromptSubmitted(text="Hello?")
    prompt.deadline.FromMilliseconds(NOW_MS - 1)
    end = await refused(service, prompt)
    assert end.status == ResponseCompleted.EXPIRED
    assert end.error is not None
    assert (end.error.field, end.error.retryable) == ("deadline", True)


async def test_warming_up_loads_what_the_first_prompt_needs(service: Service) -> None:
    async with service.lifespan():
        assert (await prepared(service, PromptSubmitted(text="Hello?"))).budget.used > 0
