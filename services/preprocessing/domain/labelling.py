"""Which classes a text may fall into, and by which model."""

from collections.abc import Sequence

from headrace.prompts.template import Label
from services.preprocessing.domain.request import Rejected


def covers(own: Sequence[Label], asked: Sequence[Label]) -> bool:
    """Whether a classifier knows all of these classes."""
    return {label.name.casefold() for label in asked} <= {label.name.casefold() for label in own}


def of_classifier(name: str, own: Sequence[Label], asked: Sequence[Label]) -> tuple[Label, ...] | Rejected:
    """Those of a classifier's own classes that were asked for; all where none was."""
    if not covers(own, asked):
        known = ", ".join(label.name for label in own)
        message = f"model {name} knows the labels {known}: leave labels out, or name a chat model for others"
        return Rejected("unknown_label", message, "labels")
    wanted = {label.name.casefold() for label in asked}
    return tuple(label for label in own if not asked or label.name.casefold() in wanted)
