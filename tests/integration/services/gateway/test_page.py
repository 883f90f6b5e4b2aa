"""The chat page in a browser, in front of services played by the test."""

import pytest

from headrace.telemetry.waterfall import arrange
from headrace.v1.responses_pb2 import Citation, Error, ResponseCompleted, Verdict
from tests.e2e.browser import chat_page
from tests.fakes.trace import chat_trace
from tests.fakes.waiting import until
from tests.integration.services.gateway.conftest import World

pytestmark = [pytest.mark.integration, pytest.mark.parametrize("bootstrap", [""], ids=["memory"])]
HOSTILE = "**Bold** <img src=x onerror=alert(1)> [link](javascript:alert(1)) [1]"


async def test_an_answer_with_everything_on_it(world: World) -> None:
    address = await world.gateway()
    async with chat_page() as chat:
        await chat.open(f"http://{address}/")
        await chat.ask("What is a headrace?")
        turn = await world.pipeline.asked_any()
        world.traces.known[turn.prompt.turn_id] = arrange(chat_trace()).as_json()
        await turn.delta("**Bold** ")
        await chat.shown("Bold")
        await turn.delta(HOSTILE.removeprefix("**Bold** "))
        await turn.complete(
            ResponseCompleted(
                attempt=1,
                status=ResponseCompleted.ANSWERED,
                text=HOSTILE,
                delta_count=2,
                citations=[
                    Citation(marker="[1]", document_id="d", title="Mills", uri="javascript:alert(1)", text="Water.")
                ],
                verdicts=[Verdict(rule="email", action="mask", reason="An address was masked.")],
            )
        )
        await chat.state("done")
        assert await chat.text() == "Bold <img src=x onerror=alert(1)> [link](javascript:alert(1)) 1"
        assert await chat.turn().locator("img, .text a[href^=javascript], .sources a").count() == 0
        assert await chat.turn().locator(".notice").inner_text() == "An address was masked."
        await chat.turn().get_by_role("link", name="1, source: Mills").click()
        assert await chat.turn().locator(".sources blockquote").is_visible()
        await chat.turn().get_by_role("button", name="Where the time went").click()
        await chat.turn().get_by_role("row", name="process inference inference 4.0 ms 300 ms").wait_for(timeout=5000)
        await chat.turn().get_by_role("button", name="Good answer").click()
        await chat.turn().get_by_label("To the point").check()
        await chat.turn().get_by_label("Comment on this answer").fill("clear")
        await chat.turn().get_by_label("A better answer").fill("A mill drives stones.")
        await chat.turn().get_by_label("may be used to train").check()
        await chat.turn().get_by_role("button", name="Send feedback").click()
        await until("the comment", lambda: any(rating.comment == "clear" for rating in world.pipeline.ratings()))
        first, said = world.pipeline.ratings()
        assert (first.rating, first.comment) == (1, "")
        assert (said.rating, list(said.reasons), said.correction) == (1, ["relevance"], "A mill drives stones.")
        assert said.consent_to_train
        # One thing said of the answer, not two: the store keeps the last of an id.
        assert said.feedback_id == first.feedback_id
        assert not chat.errors


async def test_a_lost_network_is_resumed_with_nothing_missing_or_repeated(world: World) -> None:
    address = await world.gateway(resume_seconds=30)
    async with chat_page() as chat:
        await chat.open(f"http://{address}/")
        await chat.ask("Count.")
        turn = await world.pipeline.asked_any()
        await turn.delta("one ")
        await turn.delta("two ")
        await chat.shown("two")
        await chat.page.context.set_offline(True)
        await chat.page.wait_for_selector("[data-connection=offline]")
        await turn.delta("three ")
        await chat.page.context.set_offline(False)
        await chat.shown("three")
        await chat.page.reload()
        await turn.delta("four")
        await turn.complete()
        await chat.state("done")
        assert await chat.text() == "one two three four"
    assert len(world.pipeline.asked_now()) == 1


async def test_a_gateway_that_goes_is_found_again_elsewhere(world: World) -> None:
    async with chat_page() as chat:
        async with world.running("one", slot=1) as address:
            await chat.open(f"http://{address}/")
            await chat.ask("Count.")
            turn = await world.pipeline.asked_any()
            await turn.delta("one ")
            await chat.shown("one")
        await chat.page.wait_for_selector("[data-connection=lost]")
        await turn.delta("two")
        await turn.complete()
        await world.gateway("two", slot=2, port=int(address.rpartition(":")[2]))
        await chat.state("done")
        assert await chat.text() == "one two"


async def test_escape_stops_an_answer_and_shift_enter_does_not_send(world: World) -> None:
    address = await world.gateway()
    async with chat_page() as chat:
        await chat.open(f"http://{address}/")
        await chat.page.get_by_label("Your question").fill("first line")
        await chat.page.keyboard.press("Shift+Enter")
        await chat.page.keyboard.type("second")
        await chat.page.keyboard.press("Enter")
        turn = await world.pipeline.asked_any()
        assert turn.prompt.text == "first line\nsecond"
        await turn.delta("half")
        await chat.shown("half")
        await chat.page.keyboard.press("Escape")
        await until("the cancellation", lambda: turn.prompt.turn_id in world.pipeline.cancelled())
        await turn.complete(
            ResponseCompleted(attempt=1, status=ResponseCompleted.CANCELLED, text="half", delta_count=1)
        )
        await chat.state("done")
        assert await chat.turn().locator(".ending").inner_text() == "Stopped."


async def test_an_error_says_what_to_do_and_can_be_asked_again(world: World) -> None:
    address = await world.gateway()
    async with chat_page() as chat:
        await chat.open(f"http://{address}/")
        await chat.ask("Hi")
        await (await world.pipeline.asked_any()).fail(Error(code="x", message="Use a shorter question.", field="text"))
        await chat.state("failed")
        assert await chat.turn().get_by_role("alert").inner_text() == "Use a shorter question. (text)"
        await chat.turn().get_by_role("button", name="Ask again").click()
        await until("the second prompt", lambda: len(world.pipeline.asked_now()) > 1)


async def test_overload_is_waited_out(world: World) -> None:
    address = await world.gateway(max_in_flight=1)
    async with chat_page() as chat, world.client(address) as other:
        first = await world.pipeline.asked(await other.ask())
        await chat.open(f"http://{address}/")
        await chat.ask("Hi")
        await chat.turn().locator(".problem", has_text="Trying again in 1 s").wait_for()
        await first.complete()
        await until("the second prompt", lambda: len(world.pipeline.asked_now()) > 1)
        await (await world.pipeline.asked_any()).complete()
        await chat.state("done")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_theme_follows_the_system_until_a_person_chooses(world: World, scheme: str) -> None:
    address = await world.gateway()
    async with chat_page() as chat:
        await chat.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await chat.open(f"http://{address}/")
        ground = "getComputedStyle(document.body).backgroundColor"
        before = await chat.page.evaluate(ground)
        await chat.page.get_by_role("button", name="Dark").click()
        chosen = await chat.page.evaluate(ground)
        assert before != chosen
        await chat.page.reload()
        assert await chat.page.evaluate(ground) == chosen
