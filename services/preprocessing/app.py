"""Composition root of preprocessing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from headrace.messaging import topics
from headrace.models.registry import load_registry
from headrace.prompts.files import YamlTemplates
from headrace.prompts.template import Message
from headrace.runtime.paths import infra_dir
from headrace.runtime.pipelines import Pipelines
from headrace.runtime.run import run
from headrace.runtime.service import IntakeStage, Service
from headrace.v1.prompts_pb2 import PromptSubmitted
from headrace.v1.reviews_pb2 import ReviewSubmitted
from services.preprocessing.adapters.language import LangidDetector
from services.preprocessing.adapters.models import RegistryModels
from services.preprocessing.adapters.opening import Opening, undecodable_prompt, undecodable_review
from services.preprocessing.adapters.spelling import SymSpellSpeller, words_of
from services.preprocessing.handlers.inputs import Inputs
from services.preprocessing.handlers.preparing import Preparing
from services.preprocessing.handlers.prompts import Prompts
from services.preprocessing.handlers.reviews import Reviews
from services.preprocessing.ports import LanguageDetector, Models, Speller, Templates
from services.preprocessing.settings import Settings


def build_app(
    settings: Settings,
    *,
    pipelines: Pipelines | None = None,
    templates: Templates | None = None,
    models: Models | None = None,
    languages: LanguageDetector | None = None,
    speller: Speller | None = None,
) -> Service:
    """Read the configuration, load nothing heavy: tokenizers and the language table come with `lifespan`."""
    pipelines = pipelines or Pipelines.load(infra_dir() / "pipelines")
    templates = templates or YamlTemplates.load(infra_dir() / "prompts")
    models = models or RegistryModels(load_registry(infra_dir() / "models"))
    languages = languages or LangidDetector()
    speller = speller or SymSpellSpeller(words_of(infra_dir() / "prompts" / "words.txt"))
    limits = settings.limits()
    preparing = Preparing(templates, models, languages, speller)
    prompts = Prompts(pipelines, preparing, Inputs(models), limits)
    reviews = Reviews(pipelines, preparing, models, languages, limits)
    opening = Opening(pipelines)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        """Load what the first prompt would else wait for."""
        languages.detect("warm up")
        if any(template.corrects_typos for template in templates.all()):
            await asyncio.to_thread(speller.load)
        for name in sorted({pipelines.get(usual).settings["model"] for usual in ("chat", "reviews")}):
            model = await models.get(name, task="label")
            if not model.labels:
                await models.count(model, [Message("user", "warm up")])
        yield

    return Service(
        name="preprocessing",
        settings=settings,
        lifespan=lifespan,
        stages=(
            IntakeStage(
                name="prompts",
                section="prepared",
                topic=topics.PROMPTS,
                message=PromptSubmitted,
                open=opening.prompt,
                handler=prompts.prepare,
                lane="interactive",
                undecodable=undecodable_prompt,
            ),
            IntakeStage(
                name="reviews",
                section="prepared",
                topic=topics.REVIEWS,
                message=ReviewSubmitted,
                open=opening.review,
                handler=reviews.prepare,
                lane="batch",
                undecodable=undecodable_review,
            ),
        ),
    )


if __name__ == "__main__":
    run(build_app(Settings()))
