import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.messaging.errors import Fatal, Invalid
from headrace.models.gguf_metadata import read_metadata
from headrace.models.tokenizer import TEMPLATE, ChatTokenizer
from headrace.models.tokenizer_files import write_bytes_tokenizer, write_from_gguf


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> ChatTokenizer:
    folder = tmp_path_factory.mktemp("bytes")
    write_bytes_tokenizer(folder)
    return ChatTokenizer.load(folder)


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"])).filter(lambda text: "<|" not in text))
def test_bytes_become_tokens_and_text_again(tokenizer: ChatTokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.count(text) == len(text.encode())


def test_a_chat_ends_where_the_answer_begins(tokenizer: ChatTokenizer) -> None:
    rendered = tokenizer.render([("system", "Be brief."), ("user", "Hi")])
    assert rendered.startswith("<|im_start|>system\nBe brief.<|im_end|>\n")
    assert rendered.endswith("<|im_start|>assistant\n")


def test_counting_messages_counts_what_the_template_adds(tokenizer: ChatTokenizer) -> None:
    assert tokenizer.count_messages([("user", "Hi")]) == tokenizer.count(tokenizer.render([("user", "Hi")])) > 2


def test_a_template_runs_in_a_sandbox(tmp_path: Path) -> None:
    """INVARIANT: templates come with the weights, so they may format and nothing else."""
    write_bytes_tokenizer(tmp_path)
    (tmp_path / TEMPLATE).write_text("{{ ''.__class__.__mro__[1].__subclasses__() }}", encoding="utf-8")
    with pytest.raises(Invalid):
        ChatTokenizer.load(tmp_path).render([("user", "Hi")])


def test_messages_that_a_template_refuses_are_the_clients_to_change(tmp_path: Path) -> None:
    write_bytes_tokenizer(tmp_path)
    (tmp_path / TEMPLATE).write_text("{{ raise_exception('roles must alternate') }}", encoding="utf-8")
    with pytest.raises(Invalid, match="roles must alternate") as caught:
        ChatTokenizer.load(tmp_path).render([("user", "Hi")])
    assert caught.value.field == "messages"


def test_a_folder_without_a_tokenizer_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="headrace models pull"):
        ChatTokenizer.load(tmp_path)


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def gguf(*pairs: tuple[str, bytes], magic: bytes = b"GGUF") -> bytes:
    return magic + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(text(key) + value for key, value in pairs)


def string(value: str) -> bytes:
    return struct.pack("<I", 8) + text(value)


def test_the_header_of_a_gguf_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    numbers = struct.pack("<IIQ3i", 9, 5, 3, 1, -2, 3)
    path.write_bytes(gguf(("a", string("naïve")), ("b", numbers), ("c", struct.pack("<IB", 7, 1))))
    assert read_metadata(path) == {"a": "naïve", "b": [1, -2, 3], "c": True}


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", gguf(("a", string("cut")))[:-2], gguf(("a", struct.pack("<I", 99)))],
)
def test_what_is_no_gguf_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(Fatal, match=r"model\.gguf"):
        read_metadata(path)


@pytest.mark.parametrize(
    ("kind", "splitting"),
    [("llama", "default"), ("gpt2", "something-new")],
)
def test_a_tokenizer_that_is_not_known_is_refused_and_never_guessed(tmp_path: Path, kind: str, splitting: str) -> None:
    path = tmp_path / "model.gguf"
    empty = struct.pack("<IIQ", 9, 8, 0)
    path.write_bytes(
        gguf(
            ("tokenizer.ggml.model", string(kind)),
            ("tokenizer.ggml.pre", string(splitting)),
            ("tokenizer.ggml.tokens", empty),
            ("tokenizer.ggml.merges", empty),
            ("tokenizer.ggml.token_type", struct.pack("<IIQ", 9, 5, 0)),
        )
    )
    with pytest.raises(Fatal, match="type: hf"):
        write_from_gguf(path, tmp_path)
