"""A polisher whose work is seen at once."""

from services.postprocessing.domain.formatting import Style


class Shouting:
    """Says it louder, and says in which style."""

    def load(self, style: Style) -> None:
        """Nothing to load."""

    def polish(self, text: str, style: Style) -> str:
        return f"{text.upper()} ({style})"
