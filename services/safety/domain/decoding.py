"""How a text may also be read: what hides behind encodings and look-alike letters is decoded first, then judged.

Judged as it stands, encoded text would be recognised as gibberish, and harmless gibberish with it.
"""

import base64
import binascii
import codecs
import re
import unicodedata
from typing import Final

# Cyrillic and Greek letters that pass for Latin ones.
_LOOK_ALIKES: Final = str.maketrans(
    "аАеЕоОрРсСуУхХіІјЈѕЅԁһкКмМтТвВнНӏοΟαΑιΙνΝρΡτΤυΥκΚεΕ",
    "aAeEoOpPcCyYxXiIjJsSdhkKmMtTbBhHloOaAiIvNpPtTuYkKeE",
)
_WORD: Final = re.compile(r"[^\W\d_]+")
_LATIN: Final = re.compile(r"[A-Za-z]")
_NOT_LATIN: Final = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")
_LEET: Final = str.maketrans("013457@$!", "oieastasi")
_LEET_WORD: Final = re.compile(r"(?<![\w/+])(?=[\w@$!]*[A-Za-z])(?=[\w@$!]*[013457@$])[\w@$!]{2,16}(?![\w@$!/+=])")
_SPACED: Final = re.compile(r"(?<!\w)\w(?: \w(?!\w)){4,}(?:  +\w(?: \w(?!\w))*)*")
_BASE64: Final = re.compile(r"(?<![\w+/-])[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX: Final = re.compile(r"(?<!\w)(?:(?:\\x|%|0x)?[0-9A-Fa-f]{2}[ ,]{0,2}){12,}")
_HEX_DIGITS: Final = re.compile(r"(?:\\x|%|0x)?([0-9A-Fa-f]{2})")
_COMMON_WORDS: Final = frozenset(
    "a about all an and are as be by can do for from have how i if in is it me my no not now of on or our out say show "
    "tell that the them then this to us we what who will with without you your ignore forget reveal print system "
    "prompt previous instructions rules".split()
)
_READABLE: Final = 0.9
_MIN_LEET_WORDS: Final = 2
_MIN_GAIN: Final = 2


def readings(text: str) -> list[str]:
    """The text as it stands, cleaned of tricks, and what it says once decoded; the plain reading first."""
    plain = _plain(text)
    found = [plain]
    for reading in (_payloads(plain), _unspaced(plain), _unleeted(plain), *_turned(plain)):
        if reading not in found:
            found.append(reading)
    return found


def _plain(text: str) -> str:
    visible = "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")
    if not _NOT_LATIN.search(visible):
        return visible
    # A word of one script is somebody's language; a mixture is a trick.
    return _WORD.sub(lambda word: _latin(word.group()), visible)


def _latin(word: str) -> str:
    return word.translate(_LOOK_ALIKES) if _LATIN.search(word) and _NOT_LATIN.search(word) else word


def _payloads(text: str) -> str:
    """Base64 and hexadecimal runs replaced by what they say, where they say something."""
    text = _HEX.sub(lambda run: _readable(_unhex(run.group())) or run.group(), text)
    return _BASE64.sub(lambda run: _readable(_unbase64(run.group())) or run.group(), text)


def _unhex(run: str) -> bytes:
    return bytes.fromhex("".join(_HEX_DIGITS.findall(run)))


def _unbase64(run: str) -> bytes:
    standard = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4))
    except binascii.Error:
        return b""


def _readable(content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return ""
    fine = sum(char.isalnum() or char in " .,:;!?'\"-\n" for char in text)
    return text if text and fine / len(text) >= _READABLE else ""


def _unspaced(text: str) -> str:
    """`i g n o r e   a l l` as words."""
    return _SPACED.sub(lambda run: " ".join(part.replace(" ", "") for part in re.split(r" {2,}", run.group())), text)


def _unleeted(text: str) -> str:
    """`1gn0r3` as a word, where several words are written so."""
    if len(_LEET_WORD.findall(text)) < _MIN_LEET_WORDS:
        return text
    return _LEET_WORD.sub(lambda word: word.group().translate(_LEET), text)


def _turned(text: str) -> list[str]:
    """Rot13 and the text backwards, where that makes words of it."""
    return [
        turned for turned in (codecs.encode(text, "rot13"), text[::-1]) if _common(turned) >= _common(text) + _MIN_GAIN
    ]


def _common(text: str) -> int:
    return sum(word.lower() in _COMMON_WORDS for word in _WORD.findall(text))
