"""What holds for every run of pytest in this checkout."""

import pytest

# Fast ones first, the whole stack last: it is up only while it is asked, and takes no processor from the others.
_ORDER = ("unit", "architecture", "pipeline", "delivery", "integration", "e2e")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the random order within each folder of `tests`, and the folders in order of their weight."""
    items.sort(key=lambda item: _rank(item.path.parts))


def _rank(parts: tuple[str, ...]) -> int:
    return next((rank for rank, folder in enumerate(_ORDER) if folder in parts), len(_ORDER))
