"""The process of one conversion: `python -m headrace.documents.worker`, the task and the document on its input.

It bounds itself before it reads a byte. What it cannot tell, because it was killed, its parent tells.
"""

import json
import resource
import sys
from dataclasses import asdict
from typing import Any

from headrace.documents.converting import convert
from headrace.documents.formats import CONVERTED_TYPES
from headrace.documents.limits import Limits
from headrace.messaging.errors import Invalid


def main() -> None:
    """One line of JSON in, then the document; one line of JSON out."""
    task = json.loads(sys.stdin.buffer.readline())
    limits = Limits(**task["limits"])
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 1))
    # Nothing here writes a file.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        content_type = CONVERTED_TYPES[task["content_type"]]
        reply: dict[str, Any] = {"converted": asdict(convert(content_type, sys.stdin.buffer.read(), limits))}
    except Invalid as exc:
        reply = {"refused": {"message": str(exc), "code": exc.code, "field": exc.field}}
    except MemoryError:
        reply = {"refused": {"message": too_much(limits), "code": "too_large", "field": "content"}}
    except ImportError as exc:
        reply = {"missing": exc.name}
    except Exception as exc:  # noqa: BLE001 - the readers promise nothing, and their messages quote the document
        reason = f"it cannot be read ({type(exc).__name__}): save it anew, or in a plainer format"
        reply = {"refused": {"message": reason, "code": "unreadable", "field": "content"}}
    sys.stdout.write(json.dumps(reply))


def too_much(limits: Limits) -> str:
    """Why a document was given up."""
    return (
        f"reading it takes more than {limits.seconds} s or {limits.memory_bytes // 1_000_000} MB of memory: split it, "
        "or save it in a plainer format"
    )


if __name__ == "__main__":
    main()
