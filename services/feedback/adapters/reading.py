"""What the store is asked: counts for a report, and answers with all that was said of them."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, distinct, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.feedback.adapters.schema import feedback, turns
from services.feedback.domain.reporting import Summary, Window, counted
from services.feedback.domain.training import Rated, Said

_GROUP = (turns.c.model, turns.c.template, turns.c.arm)
_SAME_TURN = (feedback.c.tenant == turns.c.tenant) & (feedback.c.turn_id == turns.c.turn_id)


async def summaries(connection: AsyncConnection, window: Window) -> Sequence[Summary]:
    """Per model, template and experiment arm, of the answers that were given in the window."""
    stars = feedback.c.scale == "stars"
    thumbs = feedback.c.scale == "thumbs"
    query = (
        select(
            *_GROUP,
            func.count(distinct(turns.c.tenant + "/" + turns.c.turn_id)),
            func.count(feedback.c.worth),
            func.avg(feedback.c.worth),
            _count(feedback.c.comment != ""),
            _count(feedback.c.correction != ""),
            _count(thumbs & (feedback.c.rating == 1)),
            _count(thumbs & (feedback.c.rating == -1)),
            *(_count(stars & (feedback.c.rating == given)) for given in (1, 2, 3, 4, 5)),
        )
        .select_from(turns.outerjoin(feedback, _SAME_TURN))
        .where(*_of(window), *_within(turns.c.completed_at_ms, window))
        .group_by(*_GROUP)
        .order_by(*_GROUP)
    )
    reasons = await _reasons(connection, window)
    return [_summary(tuple(row), reasons) for row in await connection.execute(query)]


async def rated(connection: AsyncConnection, window: Window) -> AsyncIterator[Rated]:
    """Each answer of which something was said in the window, with all of it: whoever takes a word back is heard."""
    first = select(func.min(feedback.c.submitted_at_ms)).where(_SAME_TURN, *_within(feedback.c.submitted_at_ms, window))
    first_said = first.correlate(turns).scalar_subquery()
    query = (
        select(
            turns.c.tenant, turns.c.turn_id, turns.c.question, turns.c.answer, turns.c.status,
            feedback.c.user, feedback.c.worth, feedback.c.correction, feedback.c.consent_to_train,
            feedback.c.submitted_at_ms,
        )
        .select_from(turns.join(feedback, _SAME_TURN))
        .where(*_of(window), first_said.is_not(None))
        .order_by(first_said, turns.c.tenant, turns.c.turn_id, feedback.c.submitted_at_ms, feedback.c.position)
    )  # fmt: skip
    about: tuple[Any, ...] = ()
    said: list[Said] = []
    async for row in await connection.stream(query):
        if said and tuple(row[:5]) != about:
            yield _rated(about, said)
            said = []
        about = tuple(row[:5])
        said.append(Said(row[5], row[6], row[7], row[8], row[9]))
    if said:
        yield _rated(about, said)


def _rated(about: tuple[Any, ...], said: Sequence[Said]) -> Rated:
    _tenant, _turn_id, question, answer, status = about
    return Rated(question, answer, status, tuple(said))


def _summary(row: tuple[Any, ...], reasons: Mapping[tuple[Any, ...], list[str]]) -> Summary:
    model, template, arm, answers, ratings, mean, comments, corrections, up, down, *stars = row
    one, two, three, four, five = stars
    return Summary(
        model=model,
        template=template,
        arm=arm,
        turns=answers,
        ratings=ratings,
        mean_worth=mean,
        comments=comments,
        corrections=corrections,
        up=up,
        down=down,
        stars=(one, two, three, four, five),
        reasons=counted(reasons.get(row[:3], ())),
    )


async def _reasons(connection: AsyncConnection, window: Window) -> dict[tuple[Any, ...], list[str]]:
    query: Select[Any] = (
        select(*_GROUP, feedback.c.reasons)
        .select_from(turns.join(feedback, _SAME_TURN))
        .where(*_of(window), *_within(turns.c.completed_at_ms, window), feedback.c.reasons != "")
    )
    found: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for row in await connection.execute(query):
        found[tuple(row[:3])].append(row[3])
    return found


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def _of(window: Window) -> list[ColumnElement[bool]]:
    asked: list[ColumnElement[bool]] = []
    if window.tenant is not None:
        asked.append(turns.c.tenant == window.tenant)
    if window.pipeline is not None:
        # `chat` as well as `chat/3`.
        name = turns.c.pipeline
        asked.append(or_(name == window.pipeline, name.startswith(f"{window.pipeline}/", autoescape=True)))
    return asked


def _within(moment: ColumnElement[int], window: Window) -> list[ColumnElement[bool]]:
    asked: list[ColumnElement[bool]] = []
    if window.since_ms is not None:
        asked.append(moment >= window.since_ms)
    if window.until_ms is not None:
        asked.append(moment < window.until_ms)
    return asked
