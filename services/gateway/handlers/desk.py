"""The desk: asks, resumes, cancels and rates, for whichever way a client came in by."""

import asyncio
import uuid
from contextlib import AbstractAsyncContextManager, suppress
from time import monotonic

import structlog
from opentelemetry.context import Context

from headrace.messaging.contract import Publisher
from headrace.messaging.errors import HeadraceError, Invalid, Retryable
from headrace.telemetry import metrics
from services.gateway.domain.admission import Busy
from services.gateway.domain.doors import Doors
from services.gateway.domain.places import Place, slot_of
from services.gateway.domain.requests import Question, Rating
from services.gateway.handlers import outgoing
from services.gateway.handlers.following import Followers
from services.gateway.handlers.reading import PartitionReader
from services.gateway.handlers.replays import Replays
from services.gateway.handlers.surveying import Survey
from services.gateway.handlers.turns import HeldTurn, Turns
from services.gateway.handlers.watching import Watch, root_span
from services.gateway.handlers.whereabouts import Whereabouts
from services.gateway.ports import BacklogSource, Known, ReplyTail, TurnIndex

log = structlog.get_logger()

# When to ask again for a turn that another gateway is just asking.
_CLAIMED_RETRY_MS = 2000
_START_SECONDS = 10.0
# Turns asked elsewhere that are read here at the same time; admission counts only what is asked here.
_MAX_ADOPTED = 2048
# The stage whose work is the model's.
_MODEL = "inference"


class Desk:
    """Everything that a client may want of a turn."""

    def __init__(
        self,
        *,
        publisher: Publisher,
        tail: ReplyTail,
        index: TurnIndex,
        turns: Turns,
        doors: Doors,
        backlog: BacklogSource,
        tenant: str,
        gateway: str,
    ) -> None:
        self._publisher = publisher
        self._tail = tail
        self._whereabouts = Whereabouts(index, tail)
        self._turns = turns
        self._doors = doors
        self._tenant = tenant
        self._gateway = gateway
        self._slot = -1
        self._draining = False
        self._home: PartitionReader | None = None
        self._replays = Replays(tail, turns.feed)
        self._followers = Followers(index, gateway, self._abandoned)
        self._asking: set[asyncio.Task[HeldTurn]] = set()
        self._survey = Survey(backlog, doors.answers.backlog)
        turns.on_reply(self._replied)
        turns.on_end(self._replays.leave)
        turns.on_end(lambda turn_id: doors.release(turn_id, monotonic()))

    async def start(self, slot: int | None) -> None:
        """Begin to read this gateway's reply partition."""
        partitions = await self._tail.partitions()
        self._slot = slot_of(self._gateway, partitions) if slot is None else slot % partitions
        self._home = PartitionReader(self._tail, self._slot, self._turns.feed)
        self._home.start()
        self._survey.start()
        log.info("reading replies", slot=self._slot, partitions=partitions)
        # A broker that takes longer is waited for by /readyz; health and the page are there meanwhile.
        with suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                await self._home.begun()

    async def stop(self) -> None:
        """Finish what is being asked, then stop reading. Turns go on without this gateway."""
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._survey.stop()
        await self._followers.stop()
        await self._whereabouts.stop()
        self._turns.close()
        await self._replays.stop()
        if self._home is not None:
            await self._home.stop()

    def drain(self) -> None:
        """Take no more questions; clients that go from now on come back elsewhere."""
        self._draining = True
        self._followers.drain()

    async def check(self) -> None:
        """Raise `Retryable` with what this gateway itself is missing."""
        if self._draining:
            raise Retryable("the gateway is stopping: connect again and ask again")
        if self._home is None or self._home.problem:
            raise Retryable(self._home.problem if self._home else "the gateway is starting")

    async def ready(self) -> None:
        """Raise `Retryable` if a question that comes now could not be answered."""
        await self.check()
        if not await self._tail.reachable():
            raise Retryable("Kafka does not answer: is HEADRACE_KAFKA_BOOTSTRAP right and the broker up?")

    async def ask(
        self, question: Question, *, client: str, grace_s: float, parent: Context | None = None
    ) -> HeldTurn | Busy:
        """Have it answered; returns when Kafka has the prompt. A known id is never asked twice. Raises `Retryable`.

        A client that goes meanwhile may come back within `grace_s`. Where it is full each `client` gets its share.
        """
        turn = self._turns.get(question.turn_id)
        if turn is not None:
            await asyncio.shield(turn.accepted)
            return turn
        timeout_s = question.timeout_ms / 1000 or None
        admitted = self._doors.admit(question, monotonic(), client=client, timeout_s=timeout_s)
        if isinstance(admitted, Busy):
            metrics.REFUSALS.labels(rule=f"admission.{admitted.cause.value}").inc()
            return admitted
        turn = self._turns.hold(question.turn_id, timeout_s)
        turn.watch = Watch(monotonic(), root_span(question, tenant=self._tenant, parent=parent))
        # A client that goes away now must not leave it open whether Kafka has the prompt.
        task = asyncio.create_task(self._submit(question, turn, timeout_s))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._followers.left(turn, grace_s)
            raise

    async def resume(self, turn_id: str) -> HeldTurn:
        """A turn asked here or anywhere else in the last hour. Raises `Invalid` where it is unknown."""
        if turn := self._turns.get(turn_id):
            return turn
        place = await self._whereabouts.find(turn_id)
        if place is None:
            raise _unknown()
        return self._turns.get(turn_id) or self._adopt(self._turns.hold(turn_id), place)

    def following(self, turn: HeldTurn, grace_s: float) -> AbstractAsyncContextManager[None]:
        """While inside, a client follows the turn; `grace_s` after the last one left it is cancelled."""
        return self._followers.following(turn, grace_s)

    async def cancel(self, turn_id: str) -> None:
        """Stop a turn. Raises `Invalid` where it is unknown."""
        turn = self._turns.get(turn_id)
        if turn is None and await self._whereabouts.find(turn_id) is None:
            raise _unknown()
        if turn is None or not turn.log.closed:
            await self._publisher.publish(
                outgoing.cancellation(turn_id, tenant=self._tenant, reason="asked by the client")
            )

    async def rate(self, rating: Rating) -> str:
        """Pass a rating on; returns its id."""
        feedback_id = rating.feedback_id or str(uuid.uuid4())
        await self._publisher.publish(outgoing.feedback(rating, tenant=self._tenant, feedback_id=feedback_id))
        return feedback_id

    async def _submit(self, question: Question, turn: HeldTurn, timeout_s: float | None) -> HeldTurn:
        try:
            await self.check()
            place = self._place()
            async with asyncio.timeout(timeout_s):
                if known := await self._whereabouts.claim(turn.turn_id, place):
                    return self._found(turn, known)
                await self._publish_prompt(question, turn)
        except Exception as exc:
            # Whatever it is: a place that is never given up would keep everybody else out.
            problem = exc if isinstance(exc, HeadraceError) else _not_taken(exc)
            turn.accepted.set_exception(problem)
            # It is raised below; whoever else waits gets it as well, and maybe nobody does.
            turn.accepted.exception()
            self._turns.drop(turn)
            raise problem from exc
        turn.accepted.set_result(None)
        await self._whereabouts.confirm(turn.turn_id, place)
        return turn

    async def _publish_prompt(self, question: Question, turn: HeldTurn) -> None:
        try:
            with turn.watch.asking():
                await self._publisher.publish(outgoing.prompt(question, tenant=self._tenant, partition=self._slot))
        except BaseException:
            await self._whereabouts.release(turn.turn_id)
            raise

    def _replied(self, turn: HeldTurn) -> None:
        if turn.adopted:
            # Read again from the log: when it comes says nothing about the path.
            return
        answer = turn.log.answer
        has_begun = turn.log.has_text or (answer is not None and bool(answer.embeddings))
        self._doors.replied(turn.turn_id, monotonic(), has_begun=has_begun)
        if answer is not None and (timing := answer.timings.get(_MODEL)):
            self._doors.worked(turn.turn_id, timing.work_ms / 1000)

    def _place(self) -> Place:
        if self._home is None or self._home.position is None:
            raise Retryable("the gateway is starting: try again")
        return Place(self._slot, self._home.position)

    def _found(self, turn: HeldTurn, known: Known) -> HeldTurn:
        if not known.accepted:
            raise Retryable("another gateway is just asking this: ask again", retry_after_ms=_CLAIMED_RETRY_MS)
        self._doors.release(turn.turn_id, monotonic())
        turn.watch = Watch(monotonic(), None)
        return self._adopt(turn, known.place)

    def _adopt(self, turn: HeldTurn, place: Place) -> HeldTurn:
        if self._replays.turns >= _MAX_ADOPTED:
            self._turns.drop(turn)
            raise Retryable(f"{_MAX_ADOPTED} turns of other gateways are read here, the limit: resume in a moment")
        turn.adopted = True
        turn.accepted.set_result(None)
        self._replays.join(turn.turn_id, place)
        return turn

    async def _abandoned(self, turn: HeldTurn, *, elsewhere: bool) -> None:
        if not elsewhere:
            log.info("nobody came back, cancelling", turn_id=turn.turn_id)
            await self._publisher.publish(
                outgoing.cancellation(turn.turn_id, tenant=self._tenant, reason="client left")
            )
        if turn.adopted and not turn.followers:
            self._turns.drop(turn)


def _unknown() -> Invalid:
    return Invalid("this turn is unknown or older than an hour: ask it again", code="unknown_turn", field="id")


def _not_taken(cause: Exception) -> Retryable:
    if isinstance(cause, TimeoutError):
        return Retryable("the question did not reach Kafka within its time: ask again")
    log.error("a question could not be passed on", error=type(cause).__name__)
    return Retryable("the question could not be passed on: ask again")
