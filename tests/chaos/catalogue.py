"""All attacks there are: a module of `tests.chaos.attacks` each."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from tests.chaos.attack import Attack

ATTACKS = Path(__file__).parent / "attacks"


def attacks() -> Mapping[int, Attack]:
    """By number."""
    modules = [import_module(f"tests.chaos.attacks.{path.stem}") for path in sorted(ATTACKS.glob("a[0-9]*_*.py"))]
    found: list[Attack] = [module.ATTACK for module in modules]
    return {attack.number: attack for attack in found}
