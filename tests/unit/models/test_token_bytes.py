"""Bytes of single tokens, joined, are the text: on vocabularies of both kinds."""

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from headrace.models.token_bytes import TokenBytes

TEXT = "naïve 日本語 😀 and\tmore\n"


@pytest.fixture
def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        ["and more and more"],
        trainers.BpeTrainer(vocab_size=300, special_tokens=["<end>"], initial_alphabet=alphabet, show_progress=False),
    )
    return tokenizer


def test_byte_level_tokens_join_to_the_text(byte_level: Tokenizer) -> None:
    read = TokenBytes(byte_level)
    ids = byte_level.encode(TEXT, add_special_tokens=False).ids
    assert b"".join(map(read, ids)) == TEXT.encode()
    assert len(ids) > len(TEXT.split())


def test_marks_that_are_no_text_have_no_bytes(byte_level: Tokenizer) -> None:
    read = TokenBytes(byte_level)
    assert [read(number) for number in byte_level.encode("<end>").ids] == [b""]
    assert read(10_000) == b""


def test_sentencepiece_tokens_write_spaces_and_bytes_in_their_own_way() -> None:
    vocabulary = {"<unk>": 0, "\u2581river": 1, "<0xE6>": 2, "s": 3}
    read = TokenBytes(Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>")))
    assert [read(number) for number in (1, 2, 3)] == [b" river", b"\xe6", b"s"]
