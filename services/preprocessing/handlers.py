"""From a request to its prepared section, or to the error that names the field and the limit."""

from dataclasses import dataclass
from typing import assert_never

from headrace.messaging.contract import End, Next, StageContext, StageResult
from headrace.messaging.errors import Invalid
from headrace.runtime.pipelines import Pipeline, Pipelines
from headrace.v1.responses_pb2 import Error, ResponseCompleted
from headrace.v1.turns_pb2 import Prepared, Turn
from services.preprocessing.adapters import wire
from services.preprocessing.adapters.opening import asked_deadline_ms
from services.preprocessing.domain.budget import budget
from services.preprocessing.domain.labelling import covers, of_classifier
from services.preprocessing.domain.normalisation import normalise
from services.preprocessing.domain.request import Expired, Form, Label, Message, Refusal, Rejected, Review, Sampling
from services.preprocessing.domain.template import Slots, Template, cacheable, drawn
from services.preprocessing.domain.validation import Limits, check_prompt, check_review
from services.preprocessing.ports import LanguageDetector, Model, Models, Templates


@dataclass(frozen=True, slots=True)
class _Question:
    """What prompts and reviews have in common once they are checked."""

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


class Preparation:
    """Checks, normalises, chooses the template, renders it, counts."""

    def __init__(
        self, pipelines: Pipelines, templates: Templates, models: Models, languages: LanguageDetector, limits: Limits
    ) -> None:
        self._pipelines = pipelines
        self._templates = templates
        self._models = models
        self._languages = languages
        self._limits = limits

    async def prompt(self, turn: Turn, context: StageContext) -> StageResult:
        """Prepare a prompt."""
        prompt = wire.prompt_of(turn.prompt, asked_deadline_ms(turn.prompt, context))
        if refusal := check_prompt(prompt, self._limits, context.now_ms):
            return _end(refusal)
        try:
            pipeline = self._pipelines.get(prompt.pipeline or turn.slip.pipeline)
            template = self._template(pipeline, takes="prompt")
            *earlier, last = prompt.messages or (Message("user", prompt.text),)
            system = [message.content for message in earlier if message.role == "system"]
            question = _Question(
                pipeline=pipeline,
                model=prompt.model or _setting(pipeline, "model"),
                text=last.content,
                field=f"messages[{len(earlier)}].content" if prompt.messages else "text",
                sampling=prompt.sampling,
                form=prompt.form,
                client_instructions=normalise("\n\n".join(system)).text,
                history=tuple(
                    Message(message.role, normalise(message.content).text)
                    for message in earlier
                    if message.role != "system"
                ),
            )
            prepared = await self._prepare(question, template)
        except Invalid as exc:
            return _end(Rejected(exc.code, str(exc), exc.field))
        if isinstance(prepared, Rejected):
            return _end(prepared)
        if turn.prompt.HasField("response_format"):
            prepared.response_format.CopyFrom(turn.prompt.response_format)
        return Next(prepared)

    async def review(self, turn: Turn, context: StageContext) -> StageResult:
        """Prepare a review."""
        review = wire.review_of(turn.review)
        if refusal := check_review(review, self._limits):
            return _end(refusal)
        try:
            pipeline = self._pipelines.get(review.pipeline or turn.slip.pipeline)
            template = self._template(pipeline, takes="review")
            model = await self._labelling(pipeline, review)
            if model.labels:
                prepared = self._classified(review, model)
            else:
                question = _Question(
                    pipeline=pipeline,
                    model=model.name,
                    text=review.text,
                    field="text",
                    sampling=Sampling(),
                    form=Form(),
                    labels=review.labels or template.labels,
                )
                prepared = await self._prepare(question, template)
        except Invalid as exc:
            return _end(Rejected(exc.code, str(exc), exc.field))
        return _end(prepared) if isinstance(prepared, Rejected) else Next(prepared)

    async def _labelling(self, pipeline: Pipeline, review: Review) -> Model:
        """The model that was asked for; else the pipeline's, unless it is a classifier of other classes than these."""
        model = await self._models.get(review.model or _setting(pipeline, "model"), labelling=True)
        if review.model or not model.labels or covers(model.labels, review.labels):
            return model
        return await self._models.get(_setting(pipeline, "zero_shot_model"))

    def _classified(self, review: Review, model: Model) -> Prepared | Rejected:
        """A classifier takes the text as it is: no template, and no budget, since it reads a long one in pieces."""
        labels = of_classifier(model.name, model.labels, review.labels)
        if isinstance(labels, Rejected):
            return labels
        normalised = normalise(review.text)
        if not normalised.text:
            return _invisible("text")
        language = self._languages.detect(normalised.text)
        return Prepared(
            text=normalised.text,
            language=language.code,
            language_confidence=language.confidence,
            question=normalised.text,
            model=model.name,
            model_revision=model.revision,
            labels=wire.labels_to(labels),
            cacheable=True,
            normalisations=normalised.changes,
        )

    def _template(self, pipeline: Pipeline, *, takes: str) -> Template:
        template = self._templates.get(_setting(pipeline, "template"))
        if template.takes != takes:
            message = f"pipeline {pipeline.name!r} takes a {template.takes}, this is a {takes}: use another pipeline"
            raise Invalid(message, code="wrong_pipeline", field="pipeline")
        return template

    async def _prepare(self, question: _Question, template: Template) -> Prepared | Rejected:
        model = await self._models.get(question.model)
        normalised = normalise(question.text)
        if not normalised.text:
            return _invisible(question.field)
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


def _invisible(field: str) -> Rejected:
    return Rejected("empty", f"{field} is empty: it holds only characters that cannot be seen", field)


def _setting(pipeline: Pipeline, name: str) -> str:
    try:
        return pipeline.settings[name]
    except KeyError:
        message = f"pipeline {pipeline.name!r} sets no {name}: add it under `settings` in its file"
        raise Invalid(message, code="unknown_pipeline", field="pipeline") from None


def _end(refusal: Refusal) -> End:
    match refusal:
        case Rejected():
            return End(ResponseCompleted.FAILED, wire.error_to(refusal))
        case Expired(message):
            error = Error(code="deadline_exceeded", message=message, field="deadline", retryable=True)
            return End(ResponseCompleted.EXPIRED, error)
        case never:
            assert_never(never)
