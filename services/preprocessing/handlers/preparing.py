"""What prompts and reviews have in common once they are checked: template, rendering, count, budget."""

from dataclasses import dataclass
from typing import assert_never

from headrace.messaging.contract import End
from headrace.messaging.errors import Invalid
from headrace.prompts.template import Label, Message, Sampling, Slots, Template
from headrace.runtime.pipelines import Pipeline
from headrace.v1.responses_pb2 import Error, ResponseCompleted
from headrace.v1.turns_pb2 import Prepared
from services.preprocessing.adapters import wire
from services.preprocessing.domain.budget import budget
from services.preprocessing.domain.drawing import cacheable, drawn
from services.preprocessing.domain.normalisation import normalise
from services.preprocessing.domain.request import Expired, Form, Refusal, Rejected
from services.preprocessing.ports import LanguageDetector, Models, Templates


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


class Preparing:
    """Normalises, renders, counts."""

    def __init__(self, templates: Templates, models: Models, languages: LanguageDetector) -> None:
        self._templates = templates
        self._models = models
        self._languages = languages

    def template(self, pipeline: Pipeline, *, takes: str) -> Template:
        """The pipeline's template, if it is one for this kind of request."""
        template = self._templates.get(setting(pipeline, "template"))
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
        form = question.form
        slots = Slots(
            normalised.text,
            language.code,
            question.labels,
            question.client_instructions,
            form=form.type if form.type != "text" else "",
            json_schema=form.json_schema,
            choices=form.choices,
        )
        rendered = self._templates.render(template, slots)
        history = (*rendered.examples, *question.history)
        chat = (Message("system", rendered.instructions), *history, Message("user", rendered.question))
        plan = budget(
            model.window,
            await self._models.count(model, chat),
            asked=question.sampling.max_tokens,
            usual=template.sampling.max_tokens or model.window.max_new_tokens,
            field=question.field,
        )
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
            history=wire.messages_to(history),
            question=rendered.question,
            model=model.name,
            model_revision=model.revision,
            sampling=wire.sampling_to(drawing),
            budget=wire.budget_to(plan),
            labels=wire.labels_to(question.labels),
            cacheable=cacheable(template.cache, question.sampling, drawing),
            normalisations=normalised.changes,
        )


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
