"""The example of `libs/headrace/messaging/README.md`, as it stands there."""

import re
from pathlib import Path
from typing import Any

from headrace.messaging.clock import SystemClock
from headrace.messaging.contract import Outgoing
from headrace.messaging.dispatcher import Dispatcher
from headrace.messaging.outlet import Outlet
from headrace.messaging.processing import Finished
from tests.delivery.conftest import InMemory, Log
from tests.fakes.waiting import until

README = Path(__file__).parents[2] / "libs" / "headrace" / "messaging" / "README.md"


async def test_the_readmes_example_runs(log: Log, bootstrap: str) -> None:
    topic, greetings = await log.topic(), await log.topic()
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    worked: list[bytes] = []

    async def slow_work(value: bytes) -> None:
        worked.append(value)

    def transport(_bootstrap: str, *, client_id: str, instance: str) -> Any:
        return log.transport(f"{client_id}.{instance}")

    names: dict[str, Any] = {
        "Dispatcher": Dispatcher, "Finished": Finished, "KafkaTransport": transport, "Outgoing": Outgoing,
        "Outlet": Outlet, "SystemClock": SystemClock, "slow_work": slow_work,
    }  # fmt: skip
    exec(code.replace('"greetings"', repr(greetings)).replace('"greeter"', repr(f"greeter-{topic}")), names)  # noqa: S102 - our own file
    if not isinstance(log, InMemory):
        await log.prepare(f"greeter-{topic}", tiers=3)
    await log.produce(topic, b"you", key=b"k")
    dispatcher, connected = await names["consume"](bootstrap, topic)
    try:
        await until("the greeting", lambda: log.read(greetings))
    finally:
        await dispatcher.drain(5)
        await connected.close()
    assert worked == [b"you"]
    assert [record.value for record in await log.read(greetings)] == [b"hello you"]
