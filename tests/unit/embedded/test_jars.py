import hashlib
from pathlib import Path

from headrace.embedded.jars import KAFKA_VERSION, Jar, intact, parse, pins_file


def _kept(jar: Jar, store: Path, content: bytes) -> None:
    jar.path(store).parent.mkdir(parents=True)
    jar.path(store).write_bytes(content)


def test_every_jar_of_kafka_itself_has_kafkas_version() -> None:
    """INVARIANT: resolved together with log4j, the clients would silently be of another release."""
    ours = [jar.coordinate for jar in parse(pins_file().read_text()) if jar.coordinate.startswith("org.apache.kafka:")]
    assert len(ours) > 10
    assert {coordinate.rsplit(":", 1)[1] for coordinate in ours} == {KAFKA_VERSION}


def test_half_a_jar_is_not_intact(tmp_path: Path) -> None:
    jar = Jar("a.b:c:1", 6, hashlib.sha256(b"abcdef").hexdigest())
    _kept(jar, tmp_path, b"abc")
    assert not intact(jar, tmp_path)


def test_a_changed_jar_is_not_intact(tmp_path: Path) -> None:
    jar = Jar("a.b:c:1", 6, hashlib.sha256(b"abcdef").hexdigest())
    _kept(jar, tmp_path, b"abcdeg")
    assert not intact(jar, tmp_path)


def test_the_pinned_jar_is_intact(tmp_path: Path) -> None:
    jar = Jar("a.b:c:1", 6, hashlib.sha256(b"abcdef").hexdigest())
    _kept(jar, tmp_path, b"abcdef")
    assert intact(jar, tmp_path)
    assert jar.path(tmp_path) == tmp_path / "a" / "b" / "c" / "1" / "c-1.jar"
