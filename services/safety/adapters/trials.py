"""Policies on trial: what they would have said of a turn, noted and counted, and without any effect on it."""

from collections.abc import Callable, Iterable, Sequence

import structlog

from headrace.telemetry import metrics
from services.safety.domain.findings import Verdict
from services.safety.domain.input_judgement import Request, judge
from services.safety.domain.output_judgement import Answered, judge_whole, ungrounded
from services.safety.domain.policy import Policy
from services.safety.ports import Rulebook

log = structlog.get_logger()

Tried = list[tuple[Policy, Verdict]]


def try_input(request: Request, trials: Sequence[Rulebook]) -> Tried:
    """The verdicts over what goes in."""
    return _tried(trials, lambda book: judge(request, book.policy, book.detectors).verdicts)


def try_output(answer: Answered, trials: Sequence[Rulebook]) -> Tried:
    """The verdicts over a whole answer."""

    def verdicts(book: Rulebook) -> Iterable[Verdict]:
        whole = judge_whole(answer.text, book.policy, book.detectors)
        return (*whole.verdicts, *ungrounded(answer, book.policy))

    return _tried(trials, verdicts)


def _tried(trials: Sequence[Rulebook], verdicts: Callable[[Rulebook], Iterable[Verdict]]) -> Tried:
    found: Tried = []
    for book in trials:
        try:
            said = list(verdicts(book))
        except Exception as exc:  # noqa: BLE001 - what is on trial must not keep a turn from going on
            log.warning("a policy on trial failed", policy=book.policy.identity, error=type(exc).__name__)
            continue
        found += [(book.policy, verdict) for verdict in said]
        for verdict in said:
            metrics.TRIAL_VERDICTS.labels(book.policy.name, verdict.rule, verdict.action).inc()
    return found
