"""`headrace prompts diff`: what changed between two templates."""

from difflib import unified_diff
from typing import Final

from rich.text import Text

from headrace.cli.output import out, print_json
from headrace.cli.prompts.reading import AsJson, Reference, source, templates, the_one

EPILOG: Final = """Exit status: 0 compared, whether or not they differ, 1 a file is no template, 2 there is no such one.

Examples:

  headrace prompts diff chat/1 chat/2

  headrace prompts diff chat step-by-step --json
"""
_STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}


def diff_prompts(one: Reference, other: Reference, *, as_json: AsJson = False) -> None:
    """Compare two versions, or two templates."""
    known = templates()
    before, after = the_one(known, one), the_one(known, other)
    lines = list(
        unified_diff(
            source(before).splitlines(),
            source(after).splitlines(),
            f"{before.name}/{before.version}",
            f"{after.name}/{after.version}",
            lineterm="",
        )
    )
    if as_json:
        print_json({"same": not lines, "diff": lines})
        return
    if not lines:
        out.print("no difference")
    for line in lines:
        out.print(Text(line, style=_STYLES.get(line[:1], "")), soft_wrap=True)
