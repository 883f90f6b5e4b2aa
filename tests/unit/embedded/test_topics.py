from headrace.embedded.topics import TopicPlan
from headrace.messaging import topics


def test_the_plan_and_the_names_in_code_are_the_same_set() -> None:
    """INVARIANT: a topic without a plan would get the broker's defaults, a plan without a topic is dead weight."""
    assert set(TopicPlan.load().topics) == topics.all_topics()


def test_a_dead_letter_may_be_larger_than_anything_that_can_die() -> None:
    limits = {
        name: int(spec.config.get("max.message.bytes", 1_048_588)) for name, spec in TopicPlan.load().specs().items()
    }
    dead_letters = limits.pop(topics.DEAD_LETTERS)
    assert dead_letters > max(limits.values())


def test_the_corpus_is_compacted_and_never_aged_out() -> None:
    knowledge = TopicPlan.load().specs()[topics.KNOWLEDGE].config
    assert knowledge["cleanup.policy"] == "compact"
    assert "retention.ms" not in knowledge
