"""What a rating may be about: a closed list, so that reasons can be counted; what does not fit is for the comment."""

from typing import Final

REASONS: Final = ("accuracy", "completeness", "relevance", "sources", "style", "speed", "safety")
