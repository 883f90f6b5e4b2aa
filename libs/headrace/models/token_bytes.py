"""The bytes that a token stands for; a token may be a part of a character, which no text can show."""

import re
from functools import cache
from typing import Final

from tokenizers import Tokenizer

_BYTE: Final = re.compile(r"<0x([0-9A-F]{2})>")
# What SentencePiece writes for a space.
_SPACE: Final = "\u2581"


class TokenBytes:
    """Looks tokens up in one tokenizer's vocabulary."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._added = {number: token.content for number, token in tokenizer.get_added_tokens_decoder().items()}
        self._special = {number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special}
        # The decoder's own description: there is no other way to ask what it is made of.
        self._byte_level = tokenizer.decoder is not None and b'"ByteLevel"' in tokenizer.decoder.__getstate__()

    def __call__(self, token_id: int) -> bytes:
        """The bytes of a token; none for the marks that are no text, and for an id that is not there."""
        if token_id in self._special:
            return b""
        if token_id in self._added:
            return self._added[token_id].encode()
        token = self._tokenizer.id_to_token(token_id) or ""
        if self._byte_level:
            alphabet = _alphabet()
            return bytes(alphabet[character] for character in token if character in alphabet)
        if found := _BYTE.fullmatch(token):
            return bytes([int(found[1], 16)])
        return token.replace(_SPACE, " ").encode()


@cache
def _alphabet() -> dict[str, int]:
    """The characters by which byte-level vocabularies write bytes, as GPT-2's `bytes_to_unicode` made them.

    Visible ones stand for themselves, the others begin at U+0100.
    """
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {chr(0x100 + place): byte for place, byte in enumerate(others)}
