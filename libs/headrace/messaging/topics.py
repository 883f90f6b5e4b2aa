"""The name of every topic, built here and nowhere else; `infra/kafka/topics.yaml` holds partitions and retention."""

from typing import Final, Literal

Lane = Literal["interactive", "batch"]
LANES: Final[tuple[Lane, ...]] = ("interactive", "batch")

PROMPTS: Final = "headrace.prompts.v1"
REVIEWS: Final = "headrace.reviews.v1"
REVIEWS_CLASSIFIED: Final = "headrace.reviews.classified.v1"
RESPONSES: Final = "headrace.responses.v1"
RESPONSE_DELTAS: Final = "headrace.responses.deltas.v1"
FEEDBACK: Final = "headrace.feedback.v1"
KNOWLEDGE: Final = "headrace.knowledge.v1"
CANCELLATIONS: Final = "headrace.cancellations.v1"
HUMAN_REVIEWS: Final = "headrace.human-reviews.v1"
DEAD_LETTERS: Final = "headrace.dead-letters.v1"
DISPOSITIONS: Final = "headrace.dead-letters.dispositions.v1"

DELTAS_GENERATED: Final = "headrace.deltas.generated.v1"
DELTAS_CLEARED: Final = "headrace.deltas.cleared.v1"
TURNS_COMPLETED: Final = "headrace.turns.completed.v1"

# What clients write to: whatever they send, it is theirs.
PUBLIC: Final = frozenset({PROMPTS, REVIEWS, FEEDBACK, KNOWLEDGE, CANCELLATIONS})

STAGES: Final = ("grounding", "safety", "inference", "output", "postprocessing")
RETRY_TIERS: Final = 3
SERVICES: Final = ("preprocessing", "grounding", "safety", "inference", "postprocessing", "feedback")


def turns(stage: str, lane: str) -> str:
    """The topic on which turns wait for a stage: `headrace.turns.safety.interactive.v1`."""
    return f"headrace.turns.{stage}.{lane}.v1"


def retries(service: str, lane: str, tier: int) -> str:
    """The topic on which a service's messages wait for their next try; each tier (from 1) rests longer."""
    return f"headrace.retries.{service}.{lane}.{tier}.v1"


def retries_of(service: str, tiers: int) -> list[str]:
    """All of a service's retry topics."""
    return [retries(service, lane, tier) for lane in LANES for tier in range(1, tiers + 1)]


def all_topics() -> frozenset[str]:
    """Every topic there is: what a broker must hold before the services start."""
    public = {
        PROMPTS,
        REVIEWS,
        REVIEWS_CLASSIFIED,
        RESPONSES,
        RESPONSE_DELTAS,
        FEEDBACK,
        KNOWLEDGE,
        CANCELLATIONS,
        HUMAN_REVIEWS,
        DEAD_LETTERS,
        DISPOSITIONS,
    }
    internal = {DELTAS_GENERATED, DELTAS_CLEARED, TURNS_COMPLETED}
    staged = {turns(stage, lane) for stage in STAGES for lane in LANES}
    waiting = {name for service in SERVICES for name in retries_of(service, RETRY_TIERS)}
    return frozenset(public | internal | staged | waiting)
