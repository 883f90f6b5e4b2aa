"""OpenAI's shape of an error."""

from typing import Any


def error_body(message: str, *, kind: str, code: str, param: str = "") -> dict[str, Any]:
    """A body; `kind` is OpenAI's `type`, `param` the field that is to blame."""
    return {"error": {"message": message, "type": kind, "param": param or None, "code": code}}
