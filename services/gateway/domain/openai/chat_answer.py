"""An answer as a chat completion: whole, or as the events of a stream."""

from dataclasses import asdict
from typing import Any

from services.gateway.domain.answers import Answer, Status, TokenLogprob
from services.gateway.domain.openai.chat_request import Request


class Linear:
    """Text for a client that cannot take anything back: a restart is passed over where it says the same again."""

    def __init__(self) -> None:
        self._sent = ""
        self._again: str | None = None

    def restart(self) -> None:
        """Another attempt begins."""
        self._again = ""

    def add(self, text: str) -> str | None:
        """What to send on; None: the new attempt says something else, and the stream cannot go on."""
        if self._again is None:
            self._sent += text
            return text
        self._again += text
        if self._again.startswith(self._sent):
            fresh = self._again[len(self._sent) :]
            self._sent, self._again = self._again, None
            return fresh
        return "" if self._sent.startswith(self._again) else None


def finish_reason(answer: Answer) -> str:
    """OpenAI's word for how it ended."""
    if answer.status is Status.REFUSED:
        return "content_filter"
    return answer.finish_reason if answer.finish_reason in {"stop", "length", "content_filter"} else "stop"


def usage(answer: Answer) -> dict[str, int]:
    """OpenAI's `usage`."""
    prompt, completion = answer.usage.prompt_tokens, answer.usage.completion_tokens
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def completion(request: Request, answer: Answer, created: int) -> dict[str, Any]:
    """The whole answer at once."""
    message = {"role": "assistant", "content": answer.text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason(answer), "logprobs": logprobs(answer)}
    return {
        **_head(request, "chat.completion", answer.model or request.question.model, created),
        "choices": [choice],
        "usage": usage(answer),
        "headrace": extension(answer),
    }


def chunk(request: Request, delta: dict[str, str], created: int) -> dict[str, Any]:
    """One event of a stream."""
    return _chunk(request, {"index": 0, "delta": delta, "finish_reason": None, "logprobs": None}, created)


def last_chunk(request: Request, answer: Answer, created: int) -> dict[str, Any]:
    """The event that says how it ended.

    It has all that is known only once the answer is whole: the probabilities of its tokens, and what is ours.
    """
    choice = {"index": 0, "delta": {}, "finish_reason": finish_reason(answer), "logprobs": logprobs(answer)}
    return {**_chunk(request, choice, created), "headrace": extension(answer)}


def usage_chunk(request: Request, answer: Answer, created: int) -> dict[str, Any]:
    """The last event of a stream whose client asked for the usage."""
    return {
        **_head(request, "chat.completion.chunk", request.question.model, created),
        "choices": [],
        "usage": usage(answer),
    }


def logprobs(answer: Answer) -> dict[str, Any] | None:
    """OpenAI's `logprobs` of a choice."""
    if not answer.logprobs:
        return None
    content = [{**_likely(token), "top_logprobs": [_likely(top) for top in token.top]} for token in answer.logprobs]
    return {"content": content, "refusal": None}


def extension(answer: Answer) -> dict[str, Any]:
    """What OpenAI's shapes have no place for, in a field that their clients pass over."""
    return {
        "citations": [asdict(citation) for citation in answer.citations],
        "notices": [asdict(notice) for notice in answer.notices],
        "cached": answer.usage.cached,
        "trace_id": answer.trace_id,
        "pipeline": answer.versions.get("pipeline", ""),
        "versions": dict(answer.versions),
    }


def _likely(token: TokenLogprob) -> dict[str, Any]:
    return {"token": token.token, "logprob": token.logprob, "bytes": list(token.bytes)}


def _chunk(request: Request, choice: dict[str, Any], created: int) -> dict[str, Any]:
    return {**_head(request, "chat.completion.chunk", request.question.model, created), "choices": [choice]}


def _head(request: Request, kind: str, model: str, created: int) -> dict[str, Any]:
    return {"id": f"chatcmpl-{request.question.turn_id}", "object": kind, "created": created, "model": model}
