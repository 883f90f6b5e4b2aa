"""From a judged turn to its response."""

from dataclasses import dataclass

import pytest

from headrace.messaging import topics
from headrace.messaging.contract import JSON, Next, Outgoing
from headrace.messaging.errors import Retryable
from headrace.v1.prompts_pb2 import ChatMessage, PromptSubmitted
from headrace.v1.responses_pb2 import Citation, Error, ResponseCompleted, Usage
from headrace.v1.reviews_pb2 import ReviewClassified, ReviewSubmitted
from headrace.v1.turns_pb2 import Grounding, Inference, LabelScore, Outcome, OutputJudgement, Prepared, Safety, Turn
from services.postprocessing.handlers import Answers
from services.postprocessing.handlers import Finishing as LastTouch
from tests.fakes.contexts import a_context
from tests.fakes.polishing import Shouting
from tests.fakes.stores import InMemoryConversationMemory, InMemoryMaskStore


@dataclass
class Finishing:
    """The service's work on a turn, and its stores."""

    memory: InMemoryConversationMemory
    masks: InMemoryMaskStore

    async def of(self, turn: Turn) -> tuple[Next, Outgoing]:
        result = await Answers(self.memory, self.masks, LastTouch(Shouting())).finish(turn, a_context())
        assert isinstance(result, Next)
        (outgoing,) = result.also
        return result, outgoing

    async def completed(self, turn: Turn) -> ResponseCompleted:
        _, outgoing = await self.of(turn)
        assert isinstance(outgoing.message, ResponseCompleted)
        return outgoing.message


@pytest.fixture
def finishing() -> Finishing:
    return Finishing(InMemoryConversationMemory(), InMemoryMaskStore())


def answered(text: str = " Free [2]. <|im_end|>", **safety: object) -> Turn:
    turn = Turn(
        turn_id="turn",
        conversation_id="conversation",
        tenant="acme",
        arm="default",
        trace_id="f" * 32,
        prompt=PromptSubmitted(text="Is shipping free?"),
        prepared=Prepared(
            text="Is shipping free?", template="chat", template_version="1", model="m", model_revision="r"
        ),
        grounding=Grounding(
            passages=[Citation(marker="[1]", title="Returns"), Citation(marker="[2]", title="Shipping")],
            corpus_version="c7",
        ),
        safety=Safety(policy="default", policy_version="3", output=OutputJudgement(text=text, delta_count=2)),
        inference=Inference(
            text=text, finish_reason="stop", model="m", attempt=1, usage=Usage(prompt_tokens=9, completion_tokens=4)
        ),
    )
    turn.slip.pipeline, turn.slip.version = "chat", "1"
    turn.reply.partition, turn.reply.encoding = 3, JSON
    turn.safety.MergeFrom(Safety(**safety))  # type: ignore[arg-type]  # fields by name
    return turn


def ended(status: ResponseCompleted.Status, **sections: object) -> Turn:
    turn = answered()
    for section in ("inference", "safety", "grounding"):
        turn.ClearField(section)
    turn.MergeFrom(Turn(outcome=Outcome(status=status, error=Error(code="why", field="text")), **sections))  # type: ignore[arg-type]  # fields by name
    return turn


async def test_an_answer_goes_where_its_asker_reads_in_their_encoding(finishing: Finishing) -> None:
    _, outgoing = await finishing.of(answered())
    assert (outgoing.topic, outgoing.key) == (topics.RESPONSES, "conversation")
    assert (outgoing.partition, outgoing.encoding) == (3, JSON)


async def test_an_answer_says_all_that_shaped_it(finishing: Finishing) -> None:
    completed = await finishing.completed(answered())
    assert completed.status == ResponseCompleted.ANSWERED
    assert completed.text == "Free [2]."
    assert completed.delta_count == 2
    assert completed.usage.completion_tokens == 4
    assert completed.finish_reason == "stop"
    assert not completed.HasField("error")
    assert dict(completed.versions) == {
        "pipeline": "chat/1",
        "template": "chat/1",
        "model": "m",
        "revision": "r",
        "corpus": "c7",
        "policy": "default/3",
    }


async def test_cited_passages_come_before_those_that_were_only_given(finishing: Finishing) -> None:
    completed = await finishing.completed(answered())
    assert [citation.title for citation in completed.citations] == ["Shipping", "Returns"]


async def test_the_section_holds_what_was_published(finishing: Finishing) -> None:
    result, outgoing = await finishing.of(answered())
    assert result.section.completed == outgoing.message  # type: ignore[attr-defined]  # it is a Final


async def test_an_answer_is_remembered_as_its_owner_reads_it_once(finishing: Finishing) -> None:
    await finishing.masks.put("acme", "turn", {"<EMAIL_1>": "zoe@example.org"}, 60)
    turn = answered("Write to <EMAIL_1>.", masked=True)
    for _ in range(2):
        await finishing.of(turn)
    (exchange,) = await finishing.memory.recent("acme", "conversation", 5)
    assert (exchange.question, exchange.answer) == ("Is shipping free?", "Write to zoe@example.org.")


async def test_without_memory_the_answer_goes_out_all_the_same(finishing: Finishing) -> None:
    finishing.memory.down = True
    assert (await finishing.completed(answered())).status == ResponseCompleted.ANSWERED


async def test_a_masked_answer_waits_for_its_masks(finishing: Finishing) -> None:
    """INVARIANT: nobody is shown a mask because Redis was away for a moment."""
    finishing.masks.down = True
    with pytest.raises(Retryable):
        await finishing.of(answered("Write to <EMAIL_1>.", masked=True))


async def test_a_client_that_keeps_its_own_history_is_not_remembered(finishing: Finishing) -> None:
    turn = answered()
    turn.prompt.CopyFrom(PromptSubmitted(messages=[ChatMessage(role="user", content="Is shipping free?")]))
    await finishing.of(turn)
    assert await finishing.memory.recent("acme", "conversation", 5) == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (ResponseCompleted.REFUSED, "content_filter"),
        (ResponseCompleted.FAILED, "error"),
        (ResponseCompleted.EXPIRED, "error"),
        (ResponseCompleted.CANCELLED, "cancelled"),
    ],
)
async def test_a_turn_that_ended_early_is_answered_too(
    finishing: Finishing, status: ResponseCompleted.Status, reason: str
) -> None:
    completed = await finishing.completed(ended(status))
    assert (completed.status, completed.finish_reason) == (status, reason)
    assert (completed.text, completed.delta_count) == ("", 0)
    assert completed.error.code == "why"
    assert await finishing.memory.recent("acme", "conversation", 5) == []


async def test_words_that_nobody_judged_are_never_told(finishing: Finishing) -> None:
    """INVARIANT: fail closed: what inference wrote before it was cancelled has not passed the gate as a whole."""
    turn = ended(ResponseCompleted.CANCELLED, inference=Inference(text="The password is", attempt=1))
    assert (await finishing.completed(turn)).text == ""


async def test_a_stopped_answer_tells_what_came_before_the_stop(finishing: Finishing) -> None:
    judged = Safety(output=OutputJudgement(text="So far so good. ", stopped=True, delta_count=2))
    completed = await finishing.completed(ended(ResponseCompleted.REFUSED, safety=judged))
    assert (completed.text, completed.delta_count) == ("So far so good.", 2)


async def test_a_stop_is_a_refusal_also_where_no_stage_called_it_so(finishing: Finishing) -> None:
    completed = await finishing.completed(answered(output=OutputJudgement(text="So far.", stopped=True)))
    assert completed.status == ResponseCompleted.REFUSED
    assert completed.error.code == "answer_stopped"


async def test_a_cancelled_generation_that_was_judged_shows_what_was_cleared(finishing: Finishing) -> None:
    turn = answered("Half of")
    turn.inference.finish_reason = "cancelled"
    completed = await finishing.completed(turn)
    assert (completed.status, completed.text) == (ResponseCompleted.CANCELLED, "Half of")


async def test_a_pipeline_without_a_gate_tells_what_was_generated(finishing: Finishing) -> None:
    turn = answered()
    turn.ClearField("safety")
    assert (await finishing.completed(turn)).text == "Free [2]."


async def test_a_pipeline_without_inference_fails_and_says_so(finishing: Finishing) -> None:
    turn = answered()
    turn.ClearField("safety")
    turn.ClearField("inference")
    completed = await finishing.completed(turn)
    assert (completed.status, completed.error.code) == (ResponseCompleted.FAILED, "no_answer")


def review(**sections: object) -> Turn:
    turn = Turn(turn_id="turn", tenant="acme", review=ReviewSubmitted(review_id="r1", batch_id="b1"), **sections)  # type: ignore[arg-type]  # fields by name
    turn.slip.pipeline, turn.slip.version = "reviews", "1"
    return turn


async def test_a_review_gets_its_most_likely_class(finishing: Finishing) -> None:
    scores = [LabelScore(label="negative", score=0.25), LabelScore(label="positive", score=0.75)]
    _, outgoing = await finishing.of(review(inference=Inference(model="m", scores=scores)))
    classified = outgoing.message
    assert isinstance(classified, ReviewClassified)
    assert (outgoing.topic, outgoing.key, outgoing.partition) == (topics.REVIEWS_CLASSIFIED, "r1", None)
    assert (classified.review_id, classified.batch_id, classified.tenant) == ("r1", "b1", "acme")
    assert (classified.label, classified.confidence) == ("positive", 0.75)
    assert dict(classified.scores) == {"negative": 0.25, "positive": 0.75}
    assert not classified.HasField("error")


async def test_a_review_that_failed_says_why(finishing: Finishing) -> None:
    failed = Outcome(status=ResponseCompleted.FAILED, error=Error(code="too_long", field="text"))
    _, outgoing = await finishing.of(review(outcome=failed))
    assert isinstance(outgoing.message, ReviewClassified)
    assert (outgoing.message.error.code, outgoing.message.label) == ("too_long", "")


async def test_a_review_that_nobody_scored_is_an_error_and_no_guess(finishing: Finishing) -> None:
    _, outgoing = await finishing.of(review())
    assert isinstance(outgoing.message, ReviewClassified)
    assert outgoing.message.error.code == "no_answer"


async def test_an_answer_that_was_made_without_sources_says_so(finishing: Finishing) -> None:
    turn = answered()
    turn.grounding.degraded = True
    assert [notice.code for notice in (await finishing.completed(turn)).notices] == ["sources_unavailable"]
    assert not (await finishing.completed(answered())).notices


async def test_an_answer_that_no_source_covers_says_so(finishing: Finishing) -> None:
    turn = answered()
    turn.grounding.uncovered = True
    assert [notice.code for notice in (await finishing.completed(turn)).notices] == ["not_in_sources"]
    turn.grounding.degraded = True
    assert [notice.code for notice in (await finishing.completed(turn)).notices] == ["sources_unavailable"]


async def test_a_refusal_does_not_speak_of_missing_sources(finishing: Finishing) -> None:
    turn = answered()
    turn.grounding.degraded = True
    turn.ClearField("inference")
    turn.safety.ClearField("output")
    turn.outcome.CopyFrom(Outcome(status=ResponseCompleted.REFUSED, error=Error(code="refused_by_policy")))
    assert not (await finishing.completed(turn)).notices


@pytest.mark.parametrize("stopped", [False, True])
async def test_probabilities_of_what_was_stopped_are_not_told(finishing: Finishing, *, stopped: bool) -> None:
    turn = answered("Free.")
    turn.inference.logprobs.add(token="Free", logprob=-0.1)
    turn.safety.output.stopped = stopped
    completed = await finishing.completed(turn)
    assert [token.token for token in completed.logprobs] == ([] if stopped else ["Free"])


async def test_vectors_are_an_answer_that_nobody_remembers(finishing: Finishing) -> None:
    turn = Turn(turn_id="turn", conversation_id="turn", tenant="acme", prompt=PromptSubmitted(input=["One"]))
    turn.prepared.input.append("One")
    turn.inference.finish_reason = "stop"
    turn.inference.embeddings.add(values=[0.5, -0.5])
    completed = await finishing.completed(turn)
    assert (completed.status, completed.text) == (ResponseCompleted.ANSWERED, "")
    assert [list(each.values) for each in completed.embeddings] == [[0.5, -0.5]]
    assert await finishing.memory.recent("acme", "turn", 5) == []


async def test_a_reader_is_told_that_the_conversation_was_cut(finishing: Finishing) -> None:
    turn = answered("Free.")
    turn.prepared.trimmed_messages = 4
    (notice,) = (await finishing.completed(turn)).notices
    assert notice.code == "history_trimmed"
    assert "oldest 4 messages" in notice.text


async def test_an_answer_that_was_cut_is_closed(finishing: Finishing) -> None:
    turn = answered("Run this:\n```sh\nmake run")
    turn.inference.finish_reason = "length"
    assert (await finishing.completed(turn)).text == "Run this:\n```sh\nmake run\n```"
    turn.prepared.response_format.type = "json_object"
    assert (await finishing.completed(turn)).text == "Run this:\n```sh\nmake run"


async def test_an_answer_is_put_right_where_its_template_asks_for_it(finishing: Finishing) -> None:
    turn = answered("Free.")
    turn.prepared.polish = "formal"
    assert (await finishing.completed(turn)).text == "FREE. (formal)"
    turn.prepared.polish = "a style of tomorrow"
    assert (await finishing.completed(turn)).text == "Free."


async def test_addresses_that_nobody_gave_are_named(finishing: Finishing) -> None:
    turn = answered("See https://shop.example/returns and https://made.up/page.")
    turn.grounding.passages[0].uri = "https://www.shop.example/returns/"
    (notice,) = (await finishing.completed(turn)).notices
    assert notice.code == "links_not_in_sources"
    assert "https://made.up/page." in notice.text
    assert "shop.example" not in notice.text
