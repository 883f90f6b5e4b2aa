"""When a part that died is started again."""

from dataclasses import dataclass
from typing import Final

FIRST_SECONDS: Final = 0.25
CEILING_SECONDS: Final = 30.0
# Whoever ran this long was well: its next death is a new story.
WELL_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Deaths:
    """The deaths of one part that belong together."""

    in_a_row: int = 0

    def after_running(self, seconds: float) -> "Deaths":
        """One more death, after it ran this long."""
        return Deaths(1 if seconds >= WELL_SECONDS else self.in_a_row + 1)

    @property
    def delay_seconds(self) -> float:
        """How long to wait before the next start: at once nearly, then ever longer."""
        return min(CEILING_SECONDS, FIRST_SECONDS * 2.0 ** (self.in_a_row - 1)) if self.in_a_row else 0.0
