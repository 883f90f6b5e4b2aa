"""How a turn becomes the messages that a model is given: one place, for whoever judges them and whoever runs them."""

from headrace.v1.turns_pb2 import Turn

Chat = list[tuple[str, str]]


def assemble(turn: Turn) -> Chat:
    """System (instructions, then sources), the template's examples, history, question; empty parts are left out.

    The client's own history goes before the conversation's memory: a turn has one or the other.
    """
    system = "\n\n".join(part for part in (turn.prepared.instructions, turn.grounding.context) if part)
    messages: Chat = [("system", system)] if system else []
    messages += [(message.role, message.content) for message in turn.prepared.examples]
    messages += [(message.role, message.content) for message in turn.prepared.history]
    messages += [(message.role, message.content) for message in turn.grounding.history]
    if turn.prepared.question:
        messages.append(("user", turn.prepared.question))
    return messages


def messages_of(turn: Turn) -> Chat:
    """What the model is given: what safety assembled and masked, else what stands in the turn."""
    return [(message.role, message.content) for message in turn.safety.messages] or assemble(turn)
