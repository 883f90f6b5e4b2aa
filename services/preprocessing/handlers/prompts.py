"""From a prompt to its prepared section, or to the error that names the field and the limit."""

from headrace.messaging.contract import Next, StageContext, StageResult
from headrace.messaging.errors import Invalid
from headrace.prompts.template import Message
from headrace.runtime.pipelines import Pipeline, Pipelines
from headrace.v1.turns_pb2 import Turn
from services.preprocessing.adapters import wire
from services.preprocessing.adapters.opening import asked_deadline_ms
from services.preprocessing.domain.normalisation import normalise
from services.preprocessing.domain.request import Prompt, Rejected
from services.preprocessing.domain.validation import Limits, check_prompt
from services.preprocessing.handlers.inputs import Inputs, makes_vectors
from services.preprocessing.handlers.preparing import Preparing, Question, end, setting


class Prompts:
    """Questions: a text with a conversation behind it, or all messages at once."""

    def __init__(self, pipelines: Pipelines, preparing: Preparing, inputs: Inputs, limits: Limits) -> None:
        self._pipelines = pipelines
        self._preparing = preparing
        self._inputs = inputs
        self._limits = limits

    async def prepare(self, turn: Turn, context: StageContext) -> StageResult:
        """Prepare a prompt."""
        prompt = wire.prompt_of(turn.prompt, asked_deadline_ms(turn.prompt, context))
        if refusal := check_prompt(prompt, self._limits, context.now_ms):
            return end(refusal)
        try:
            pipeline = self._pipelines.get(prompt.pipeline or turn.slip.pipeline)
            if makes_vectors(pipeline) or prompt.input:
                return await self._embedded(prompt, pipeline)
            template = self._preparing.template(pipeline, takes="prompt", asked=prompt.template)
            *earlier, last = prompt.messages or (Message("user", prompt.text),)
            system = [message.content for message in earlier if message.role == "system"]
            question = Question(
                pipeline=pipeline,
                model=prompt.model or setting(pipeline, "model"),
                text=last.content,
                field=f"messages[{len(earlier)}].content" if prompt.messages else "text",
                sampling=prompt.sampling,
                form=prompt.form,
                own=prompt.metadata,
                client_instructions=normalise("\n\n".join(system)).text,
                history=tuple(
                    Message(message.role, normalise(message.content).text)
                    for message in earlier
                    if message.role != "system"
                ),
            )
            prepared = await self._preparing.section(question, template)
        except Invalid as exc:
            return end(Rejected(exc.code, str(exc), exc.field))
        if isinstance(prepared, Rejected):
            return end(prepared)
        if turn.prompt.HasField("response_format"):
            prepared.response_format.CopyFrom(turn.prompt.response_format)
        return Next(prepared)

    async def _embedded(self, prompt: Prompt, pipeline: Pipeline) -> StageResult:
        if prompt.input and makes_vectors(pipeline):
            return Next(await self._inputs.section(prompt, pipeline))
        if prompt.input:
            message = f"pipeline {pipeline.name!r} answers questions, it makes no vectors of input: use 'embeddings'"
            return end(Rejected("wrong_pipeline", message, "pipeline"))
        message = f"pipeline {pipeline.name!r} makes vectors of the texts in input, and there is none: send some"
        return end(Rejected("wrong_pipeline", message, "input"))
