"""How the embedded broker is set up: one node, broker and controller in one, tuned to start fast and stay small."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from headrace.embedded.ports import LOOPBACK

NODE_ID: Final = 1

# Production's protocol and defaults wherever a client can see them; only sizes and waiting times are those of one node.
SETTINGS: Final[Mapping[str, str]] = {
    "process.roles": "broker,controller",
    "node.id": str(NODE_ID),
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "num.recovery.threads.per.data.dir": "2",
    "background.threads": "2",
    "message.max.bytes": "1048588",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "2",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    # A lone member need not wait for others.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "controller.quorum.election.timeout.ms": "100",
    "controller.quorum.election.backoff.max.ms": "100",
    # After kill -9 the broker is admitted again when its old session has run out.
    "broker.heartbeat.interval.ms": "200",
    "broker.session.timeout.ms": "3000",
    "controlled.shutdown.enable": "true",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.segment.bytes": "67108864",
}

# The same for every start: the JVM refuses a start-up cache that was made with other flags.
JVM_FLAGS: Final = ("-Xms64m", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData")


def server_properties(*, data: Path, port: int, controller_port: int) -> str:
    """The broker's `server.properties`.

    The voter is static: a dynamic quorum writes the controller's port into its log and does not find itself after
    a start on another port.
    """
    own = {
        "log.dirs": str(data),
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.quorum.voters": f"{NODE_ID}@{LOOPBACK}:{controller_port}",
    }
    return "".join(f"{key}={value}\n" for key, value in sorted({**SETTINGS, **own}.items()))


def java_command(
    java: Path, classpath: Sequence[Path], *arguments: str, log_config: Path, scratch: Path, cache: Sequence[str] = ()
) -> list[str]:
    """The command line for one of Kafka's main classes. `cache` makes or uses the JVM's start-up cache."""
    return [
        str(java),
        *JVM_FLAGS,
        *cache,
        # Native libraries are unpacked where the broker's other files lie, not in a folder that nobody clears.
        f"-Djava.io.tmpdir={scratch}",
        f"-Dlog4j2.configurationFile={log_config}",
        "-cp",
        ":".join(map(str, classpath)),
        *arguments,
    ]
