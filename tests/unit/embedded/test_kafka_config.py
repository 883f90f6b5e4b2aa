from pathlib import Path

from headrace.embedded.kafka_config import java_command, server_properties


def _rendered(port: int = 21_000) -> dict[str, str]:
    text = server_properties(data=Path("/data/kafka"), port=port, controller_port=21_001)
    return dict(line.split("=", 1) for line in text.splitlines())


def test_the_broker_listens_on_loopback_alone() -> None:
    properties = _rendered()
    assert properties["listeners"] == "PLAINTEXT://127.0.0.1:21000,CONTROLLER://127.0.0.1:21001"
    assert properties["advertised.listeners"] == "PLAINTEXT://127.0.0.1:21000"


def test_a_topic_nobody_planned_is_not_created() -> None:
    assert _rendered()["auto.create.topics.enable"] == "false"


def test_the_quorum_is_static_so_that_another_port_finds_the_same_data() -> None:
    """INVARIANT: a dynamic quorum writes its port into the log, and the next start on another port waits for ever."""
    assert _rendered()["controller.quorum.voters"] == "1@127.0.0.1:21001"
    assert "controller.quorum.bootstrap.servers" not in _rendered()


def test_native_libraries_are_not_left_in_the_machines_temporary_folder() -> None:
    command = java_command(
        Path("java"),
        [Path("a.jar"), Path("b.jar")],
        "kafka.Kafka",
        log_config=Path("l"),
        scratch=Path("/data/kafka/tmp"),
    )
    assert "-Djava.io.tmpdir=/data/kafka/tmp" in command
    assert command[-3:] == ["-cp", "a.jar:b.jar", "kafka.Kafka"]
