"""What both commands have in common: their options, and having the service do it.

The feedback is the service's, and what masks personal data is safety's: each is run as a process, with its own code.
"""

import os
import subprocess
import sys
from datetime import datetime
from importlib.util import find_spec
from typing import Annotated, Any, Final

import orjson
import typer

from headrace.cli.completing import pipeline_names
from headrace.cli.dlq.moments import moment_ms
from headrace.cli.output import Exit, fail
from headrace.messaging.errors import Invalid

_SERVICE: Final = "services.feedback.app"
_SCRUBBER: Final = "services.safety.adapters.scrubbing"
_SCRUB_COMMAND: Final = "HEADRACE_FEEDBACK_SCRUB_COMMAND"
EXIT_STATUS: Final = "Exit status: 0 done, 1 it went wrong or there is nothing, 2 the command line is wrong."

Tenant = Annotated[str, typer.Option(help="Those of this tenant; default: of all.")]
Pipeline = Annotated[
    str, typer.Option(help="Those of this pipeline, such as `chat` or `chat/3`.", autocompletion=pipeline_names)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def window(*, tenant: str, pipeline: str, since: str, until: str) -> dict[str, Any]:
    """The options as the service takes them; a moment that is none ends the command."""
    now = datetime.now().astimezone()
    try:
        since_ms, until_ms = (moment_ms(moment, now) if moment else None for moment in (since, until))
    except Invalid as exc:
        fail(str(exc), Exit.USAGE)
    return {"tenant": tenant or None, "pipeline": pipeline or None, "since_ms": since_ms, "until_ms": until_ms}


def ask(task: str, request: dict[str, Any]) -> Any:
    """Have the service do it; what goes wrong there ends the command."""
    if find_spec("services") is None:
        fail(
            "the services are not installed here: run this in the checkout, or "
            f"`python -m {_SERVICE} {task} '{{}}'` where feedback runs"
        )
    command = [sys.executable, "-m", _SERVICE, task, orjson.dumps(request).decode()]
    scrub = os.environ.get(_SCRUB_COMMAND) or orjson.dumps([sys.executable, "-m", _SCRUBBER]).decode()
    done = subprocess.run(
        command,
        env={**os.environ, _SCRUB_COMMAND: scrub},
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    try:
        answer = orjson.loads(done.stdout)
    except orjson.JSONDecodeError:
        fail(f"the feedback service ended with status {done.returncode} and said nothing: its error stands above")
    if "error" in answer:
        fail(answer["error"])
    return answer["told"]
