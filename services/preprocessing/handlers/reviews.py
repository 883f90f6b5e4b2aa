"""From a review to its prepared section, or to the error that names the field and the limit."""

from headrace.messaging.contract import Next, StageContext, StageResult
from headrace.messaging.errors import Invalid
from headrace.prompts.template import Sampling
from headrace.runtime.pipelines import Pipeline, Pipelines
from headrace.v1.turns_pb2 import Prepared, Turn
from services.preprocessing.adapters import wire
from services.preprocessing.domain.labelling import covers, of_classifier
from services.preprocessing.domain.normalisation import normalise
from services.preprocessing.domain.request import Form, Rejected, Review
from services.preprocessing.domain.validation import Limits, check_review
from services.preprocessing.handlers.preparing import Preparing, Question, end, invisible, setting
from services.preprocessing.ports import LanguageDetector, Model, Models


class Reviews:
    """Texts to be labelled: by a classifier as they are, by a chat model in a template's words."""

    def __init__(
        self, pipelines: Pipelines, preparing: Preparing, models: Models, languages: LanguageDetector, limits: Limits
    ) -> None:
        self._pipelines = pipelines
        self._preparing = preparing
        self._models = models
        self._languages = languages
        self._limits = limits

    async def prepare(self, turn: Turn, context: StageContext) -> StageResult:
        """Prepare a review."""
        review = wire.review_of(turn.review)
        if refusal := check_review(review, self._limits):
            return end(refusal)
        try:
            pipeline = self._pipelines.get(review.pipeline or turn.slip.pipeline)
            template = self._preparing.template(pipeline, takes="review")
            model = await self._labelling(pipeline, review)
            if model.labels:
                prepared = self._classified(review, model)
            else:
                if model.label_template:
                    template = self._preparing.template(pipeline, takes="review", asked=model.label_template)
                question = Question(
                    pipeline=pipeline,
                    model=model.name,
                    text=review.text,
                    field="text",
                    sampling=Sampling(),
                    form=Form(),
                    labels=review.labels or template.labels,
                )
                prepared = await self._preparing.section(question, template)
        except Invalid as exc:
            return end(Rejected(exc.code, str(exc), exc.field))
        return end(prepared) if isinstance(prepared, Rejected) else Next(prepared)

    async def _labelling(self, pipeline: Pipeline, review: Review) -> Model:
        """The model that was asked for; else the pipeline's, unless it is a classifier of other classes than these."""
        model = await self._models.get(review.model or setting(pipeline, "model"), task="label")
        if review.model or not model.labels or covers(model.labels, review.labels):
            return model
        return await self._models.get(setting(pipeline, "zero_shot_model"))

    def _classified(self, review: Review, model: Model) -> Prepared | Rejected:
        """A classifier takes the text as it is: no template, and no budget, since it reads a long one in pieces."""
        labels = of_classifier(model.name, model.labels, review.labels)
        if isinstance(labels, Rejected):
            return labels
        normalised = normalise(review.text)
        if not normalised.text:
            return invisible("text")
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
