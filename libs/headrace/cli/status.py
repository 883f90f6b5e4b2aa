"""`headrace status`: what runs in this data directory."""

from typing import Annotated, Final

import typer

from headrace.cli.output import Exit, fail, out, print_json
from headrace.cli.parts_table import parts_table
from headrace.embedded import state
from headrace.embedded.memory import resident_bytes
from headrace.embedded.supervisor import State, Status
from headrace.runtime.paths import data_dir

_EPILOG: Final = """Exit status: 0 it runs, 3 nothing runs here.

Examples:

  headrace status

  headrace status --json
"""


def register(root: typer.Typer) -> None:
    """Add `headrace status`."""
    root.command("status", epilog=_EPILOG)(status)


def status(*, as_json: Annotated[bool, typer.Option("--json", help="Print the state as JSON.")] = False) -> None:
    """Show the parts of the stack that `headrace up` runs: state, restarts, memory, address."""
    found = state.read()
    if found is None:
        fail(f"nothing runs in {data_dir()}: start it with `headrace up`, or set HEADRACE_DATA_DIR", Exit.NOT_RUNNING)
    # Ray's token is for the commands that need it, not for the screen.
    del found["environment"]
    if as_json:
        for part in found["parts"]:
            part["rss_bytes"] = resident_bytes(part["pid"]) if part["pid"] else 0
        print_json(found)
        return
    out.print(parts_table([Status(**{**part, "state": State(part["state"])}) for part in found["parts"]]))
    if found["url"]:
        out.print(found["url"])
