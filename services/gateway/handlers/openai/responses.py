"""What OpenAI's clients get: JSON with the id of the request, errors in their shape and with their status."""

import uuid
from typing import Any

import orjson
from starlette.responses import Response

from headrace.messaging.errors import HeadraceError, Invalid, Retryable
from services.gateway.domain import said
from services.gateway.domain.admission import Busy
from services.gateway.domain.answers import Answer, Status
from services.gateway.domain.openai.errors import error_body

_BUSY = 429
_UNAVAILABLE = 503


def failure(answer: Answer) -> tuple[dict[str, Any], int]:
    """Body and status for a turn that has no answer."""
    failure = answer.failure
    message = failure.message if failure and failure.message else "the answer failed: ask again"
    code = failure.code if failure and failure.code else answer.status.value.lower()
    param = failure.field if failure else ""
    match answer.status:
        case Status.EXPIRED:
            return error_body(message, kind="server_error", code=code, param=param), 504
        case Status.FAILED if failure and failure.field and not failure.retryable:
            return error_body(message, kind="invalid_request_error", code=code, param=param), 400
        case Status.FAILED if failure and failure.retryable:
            return error_body(message, kind="server_error", code=code, param=param), _UNAVAILABLE
        case _:
            return error_body(message, kind="server_error", code=code, param=param), 500


def refused(problem: HeadraceError, turn_id: str) -> Response:
    """For what never became a turn, or was lost sight of."""
    if isinstance(problem, Invalid):
        status = {"too_large": 413, "no_answer": 504}.get(problem.code, 400)
        kind = "invalid_request_error" if problem.field else "server_error"
        body = error_body(str(problem), kind=kind, code=problem.code, param=problem.field)
        return json_response(body, status, turn_id=turn_id)
    body = error_body(str(problem), kind="server_error", code="unavailable")
    retry_after = said.retry_after_s(problem) if isinstance(problem, Retryable) else 1
    return json_response(body, _UNAVAILABLE, turn_id=turn_id, retry_after=retry_after)


def too_busy(busy: Busy, turn_id: str) -> Response:
    """429, with the time to come back."""
    message = str(said.busy(turn_id, busy)["message"])
    body = error_body(message, kind="rate_limit_error", code="too_busy")
    return json_response(body, _BUSY, turn_id=turn_id, retry_after=busy.retry_after_s)


def request_id(turn_id: str) -> dict[str, str]:
    """The header by which a request is named to whoever runs this."""
    return {"x-request-id": turn_id}


def json_response(body: object, status: int = 200, *, turn_id: str = "", retry_after: int = 0) -> Response:
    """JSON with its headers."""
    headers = request_id(turn_id or str(uuid.uuid4()))
    if retry_after:
        headers["retry-after"] = str(retry_after)
    return Response(orjson.dumps(body), status, headers, "application/json")
