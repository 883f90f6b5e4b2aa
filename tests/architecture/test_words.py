"""What the tree must not say, because it would be true on one machine only, or not yet."""

import re
from pathlib import Path

from tests.architecture.tree import ROOT, files, name


def pattern(template: str, *words: str) -> re.Pattern[str]:
    """Any of the words; each is written with an @ inside, so that this file does not contain what it looks for."""
    return re.compile(template % "|".join(word.replace("@", "") for word in words))


UNFINISHED = pattern(r"\b(?:%s)\b", "TO@DO", "FIX@ME", "X@XX", "HA@CK")
MACHINE_PATHS = pattern(
    r"(?<![\w.$}/-])/(?:%s)", "wo@rk/(?:main|shared)", r"ho@me/\w+", "ro@ot/", r"Us@ers/\w+", r"t@mp/\w+"
)
REGISTRY_HOSTS = pattern(
    "%s",
    r"py@pi\.org",
    r"python@hosted\.org",
    r"npm@js\.(?:org|com)",
    r"yarn@pkg\.com",
    r"maven@\.org",
    r"apache@\.org/maven",
    r"sona@type\.",
    r"deb@ian\.org",
    r"ubun@tu\.com",
    r"py@torch\.org/whl",
    r"dock@er\.io",
    r"gh@cr\.io",
    r"qu@ay\.io",
    r"hugging@face\.co\b",
)


def lines(path: Path) -> list[str]:
    """The lines of a text; none of what is not text."""
    content = path.read_bytes()
    return [] if b"\0" in content else content.decode().splitlines()


def found(words: re.Pattern[str]) -> list[str]:
    return [
        f"{name(path)}:{number}: {match.group()}"
        for path in files()
        if path != ROOT / "LICENSE"
        for number, line in enumerate(lines(path), start=1)
        if (match := words.search(line))
    ]


def test_nothing_is_left_for_later_in_a_comment() -> None:
    assert not found(UNFINISHED)


def test_no_path_of_one_machine_is_in_the_tree() -> None:
    assert not found(MACHINE_PATHS)


def test_no_registry_is_named_so_that_a_mirror_needs_no_edit() -> None:
    assert not found(REGISTRY_HOSTS)


def test_the_patterns_find_what_they_are_for() -> None:
    assert UNFINISHED.search("# TO" + "DO: later")
    assert MACHINE_PATHS.search("open('/ho" + "me/somebody/x')")
    assert REGISTRY_HOSTS.search("https://files.python" + "hosted.org/packages")
