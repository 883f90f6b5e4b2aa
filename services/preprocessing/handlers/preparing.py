"""What prompts and reviews have in common once they are checked: template, rendering, count, budget."""

import asyncio
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from headrace.messaging.contract import End
from headrace.messaging.errors import Invalid
from headrace.prompts.template import Label, Message, Rendered, Sampling, Slots, Template
from headrace.runtime.pipelines import Pipeline
from headrace.v1.responses_pb2 import Error, ResponseCompleted
from headrace.v1.turns_pb2 import Prepared
from services.preprocessing.adapters import wire
from services.preprocessing.domain.budget import Budget, budget
from services.preprocessing.domain.drawing import cacheable, drawn
from services.preprocessing.domain.normalisation import Normalised, normalise
from services.preprocessing.domain.request import Expired, Form, Refusal, Rejected
from services.preprocessing.domain.trimming import ROOM_FOR_SOURCES, beginnings, good
from services.preprocessing.domain.typos import correct
from services.preprocessing.ports import LanguageDetector, Model, Models, Speller, Templates

# The stage that looks for sources.
_GROUNDING: Final = "grounding"
# The language whose words the speller knows.
_SPELT: Final = "en"


@dataclass(frozen=True, slots=True)
class Question:
    """A checked request: what is to be asked of which model, by which pipeline."""

    pipeline: Pipeline
    model: str
    text: str
    # Where the text came from, for the error that finds it too long.
    field: str
    sampling: Sampling
    form: Form
    labels: tuple[Label, ...] = ()
    client_instructions: str = ""
    history: tuple[Message, ...] = ()
    # For the slots that a template has of its own.
    own: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Preparing:
    """Normalises, renders, counts."""

    def __init__(self, templates: Templates, models: Models, languages: LanguageDetector, speller: Speller) -> None:
        self._speller = speller
        self._templates = templates
        self._models = models
        self._languages = languages

    def template(self, pipeline: Pipeline, *, takes: str, asked: str = "") -> Template:
        """The template that was asked for, else the pipeline's, if it is one for this kind of request."""
        field = "template" if asked else "pipeline"
        template = self._templates.get(asked or setting(pipeline, "template"), field=field)
        if template.takes != takes and asked:
            message = f"template {template.name!r} is for a {template.takes}, this is a {takes}: use another"
            raise Invalid(message, code="wrong_template", field=field)
        if template.takes != takes:
            message = f"pipeline {pipeline.name!r} takes a {template.takes}, this is a {takes}: use another pipeline"
            raise Invalid(message, code="wrong_pipeline", field="pipeline")
        return template

    async def section(self, question: Question, template: Template) -> Prepared | Rejected:
        """The section, or what is wrong with the request."""
        model = await self._models.get(question.model)
        normalised = normalise(question.text)
        if not normalised.text:
            return invisible(question.field)
        language = self._languages.detect(normalised.text)
        if template.corrects_typos and language.code == _SPELT:
            normalised = await asyncio.to_thread(self._corrected, normalised)
        form = question.form
        slots = Slots(
            normalised.text,
            language.code,
            question.labels,
            question.client_instructions,
            form=form.type if form.type != "text" else "",
            json_schema=form.json_schema,
            choices=form.choices,
            own=question.own,
        )
        rendered = self._templates.render(template, slots)
        begin, plan = await self._fitted(question, template, model, rendered)
        if isinstance(plan, Rejected):
            return plan
        drawing = drawn(question.sampling, template.sampling, plan.max_new_tokens)
        return Prepared(
            text=normalised.text,
            language=language.code,
            language_confidence=language.confidence,
            template=template.name,
            template_version=template.version,
            instructions=rendered.instructions,
            sources_template=template.sources_template,
            examples=wire.messages_to(rendered.examples),
            history=wire.messages_to(question.history[begin:]),
            question=rendered.question,
            model=model.name,
            model_revision=model.revision,
            sampling=wire.sampling_to(drawing),
            budget=wire.budget_to(plan),
            labels=wire.labels_to(question.labels),
            cacheable=cacheable(template.cache, question.sampling, drawing),
            normalisations=normalised.changes,
            trimmed_messages=begin,
            # A program reads what has a form: nothing of it is put right.
            polish=template.polish if not slots.form else "",
        )

    def _corrected(self, normalised: Normalised) -> Normalised:
        text = correct(normalised.text, self._speller.suggest)
        return normalised if text == normalised.text else Normalised(text, (*normalised.changes, "typos"))

    async def _fitted(
        self, question: Question, template: Template, model: Model, rendered: Rendered
    ) -> tuple[int, Budget | Rejected]:
        """Where the history begins that fits, and the budget with it: all of it, else as much as leaves room."""
        usual = template.sampling.max_tokens or model.window.max_new_tokens
        asked = question.sampling.max_tokens
        wanted = asked if asked is not None else min(usual, model.window.max_new_tokens)
        room = ROOM_FOR_SOURCES if template.sources_template and _GROUNDING in question.pipeline.stages else 0

        async def plan(begin: int) -> Budget | Rejected:
            history = (*rendered.examples, *question.history[begin:])
            chat = (Message("system", rendered.instructions), *history, Message("user", rendered.question))
            used = await self._models.count(model, chat)
            return budget(model.window, used, asked=asked, usual=usual, field=question.field)

        found = await plan(0)
        if not question.history or good(found, wanted=wanted, room=room):
            return 0, found
        # Without any history whatever there is room for has to do.
        places = beginnings(question.history)
        low, high = 1, len(places) - 1
        found = await plan(places[high])
        while low < high:
            middle = (low + high) // 2
            tried = await plan(places[middle])
            if good(tried, wanted=wanted, room=room):
                high, found = middle, tried
            else:
                low = middle + 1
        return places[high], found


def invisible(field: str) -> Rejected:
    """For a text of which nothing can be seen."""
    return Rejected("empty", f"{field} is empty: it holds only characters that cannot be seen", field)


def setting(pipeline: Pipeline, name: str) -> str:
    """What the pipeline sets; `Invalid` where it does not."""
    try:
        return pipeline.settings[name]
    except KeyError:
        message = f"pipeline {pipeline.name!r} sets no {name}: add it under `settings` in its file"
        raise Invalid(message, code="unknown_pipeline", field="pipeline") from None


def end(refusal: Refusal) -> End:
    """The turn ends here, with a word for whoever asked."""
    match refusal:
        case Rejected():
            return End(ResponseCompleted.FAILED, wire.error_to(refusal))
        case Expired(message):
            error = Error(code="deadline_exceeded", message=message, field="deadline", retryable=True)
            return End(ResponseCompleted.EXPIRED, error)
        case never:
            assert_never(never)
