from headrace.models.assemble import assemble, messages_of
from headrace.v1.turns_pb2 import Turn


def a_turn() -> Turn:
    turn = Turn()
    turn.prepared.instructions = "Be brief."
    turn.prepared.question = "And then?"
    turn.grounding.context = "Sources: [1]"
    turn.grounding.history.add(role="user", content="Hi")
    turn.grounding.history.add(role="assistant", content="Hello")
    return turn


def test_a_turn_becomes_instructions_with_sources_then_history_then_the_question() -> None:
    assert assemble(a_turn()) == [
        ("system", "Be brief.\n\nSources: [1]"),
        ("user", "Hi"),
        ("assistant", "Hello"),
        ("user", "And then?"),
    ]


def test_a_templates_examples_come_before_what_was_said() -> None:
    turn = a_turn()
    turn.prepared.examples.add(role="user", content="shown")
    assert [content for _, content in assemble(turn)][1:3] == ["shown", "Hi"]


def test_what_is_empty_is_left_out() -> None:
    turn = Turn()
    turn.prepared.question = "Hi"
    assert assemble(turn) == [("user", "Hi")]


def test_what_safety_assembled_goes_before_what_stands_in_the_turn() -> None:
    turn = a_turn()
    turn.safety.messages.add(role="user", content="masked")
    assert messages_of(turn) == [("user", "masked")]


def test_a_clients_own_history_is_kept_in_order() -> None:
    turn = Turn()
    turn.prepared.history.add(role="user", content="one")
    turn.prepared.history.add(role="assistant", content="two")
    turn.prepared.question = "three"
    assert [content for _, content in assemble(turn)] == ["one", "two", "three"]
