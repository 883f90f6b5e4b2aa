"""Names of span and resource attributes. Each stands here once; queries and dashboards depend on them.

`messaging.*` and `gen_ai.*` follow OpenTelemetry's semantic conventions; `headrace.*` are our own. Times are
milliseconds where the name ends in `_ms`; the `gen_ai.server.*` times are seconds, as the conventions want them.
"""

from typing import Final

TURN_ID: Final = "headrace.turn_id"
CONVERSATION_ID: Final = "headrace.conversation_id"
TENANT: Final = "headrace.tenant"
STAGE: Final = "headrace.stage"
PIPELINE: Final = "headrace.pipeline"
LANE: Final = "headrace.lane"
ARM: Final = "headrace.arm"
MESSAGE_ID: Final = "headrace.message_id"
# How often this message was delivered, from 1.
DELIVERY_ATTEMPT: Final = "headrace.delivery_attempt"
# How often this turn's answer was begun, from 1: a higher attempt supersedes a lower one.
GENERATION_ATTEMPT: Final = "headrace.generation_attempt"
# From the broker's timestamp of the message to the moment that its handler began.
QUEUE_MS: Final = "headrace.queue_ms"
# From that moment until the handler returned.
WORK_MS: Final = "headrace.work_ms"
OUTCOME: Final = "headrace.outcome"
ERROR_CODE: Final = "headrace.error_code"
CACHED: Final = "headrace.cached"
DELTAS: Final = "headrace.deltas"
RULES: Final = "headrace.rules"

MESSAGING_SYSTEM: Final = "messaging.system"
MESSAGING_DESTINATION: Final = "messaging.destination.name"
MESSAGING_PARTITION: Final = "messaging.destination.partition.id"
MESSAGING_OFFSET: Final = "messaging.kafka.offset"
MESSAGING_KEY: Final = "messaging.kafka.message.key"
MESSAGING_GROUP: Final = "messaging.consumer.group.name"
MESSAGING_MESSAGE_ID: Final = "messaging.message.id"
MESSAGING_BODY_SIZE: Final = "messaging.message.body.size"
MESSAGING_OPERATION: Final = "messaging.operation.name"
MESSAGING_OPERATION_TYPE: Final = "messaging.operation.type"

GEN_AI_OPERATION: Final = "gen_ai.operation.name"
GEN_AI_PROVIDER: Final = "gen_ai.provider.name"
GEN_AI_CONVERSATION_ID: Final = "gen_ai.conversation.id"
GEN_AI_REQUEST_MODEL: Final = "gen_ai.request.model"
GEN_AI_REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
GEN_AI_REQUEST_TOP_P: Final = "gen_ai.request.top_p"
GEN_AI_REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
GEN_AI_REQUEST_SEED: Final = "gen_ai.request.seed"
GEN_AI_RESPONSE_MODEL: Final = "gen_ai.response.model"
GEN_AI_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
GEN_AI_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
GEN_AI_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
GEN_AI_TIME_TO_FIRST_TOKEN: Final = "gen_ai.server.time_to_first_token"  # noqa: S105 - a name, no secret
GEN_AI_TIME_PER_OUTPUT_TOKEN: Final = "gen_ai.server.time_per_output_token"  # noqa: S105 - a name, no secret

ERROR_TYPE: Final = "error.type"
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
SERVICE_INSTANCE_ID: Final = "service.instance.id"
