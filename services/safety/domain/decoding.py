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
# No part of a code.
_WHOLE_WORD: Final = re.compile(r"(?<![\w+/=])[^\W\d_]+(?![\w+/=])")
_LATIN: Final = re.compile(r"[A-Za-z]")
_NOT_LATIN: Final = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")
_LEET: Final = str.maketrans("013457@$!", "oieastasi")
_LEET_WORD: Final = re.compile(r"(?<![\w/+])(?=[\w@$!]*[A-Za-z])(?=[\w@$!]*[013457@$])[\w@$!]{2,16}(?![\w@$!/+=])")
_SPACED: Final = re.compile(r"(?<!\w)\w(?: \w(?!\w)){4,}(?:  +\w(?: \w(?!\w))*)*")
_BASE64: Final = re.compile(r"(?<![\w+/-])[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX: Final = re.compile(r"(?<!\w)(?:(?:\\x|%|0x)?[0-9A-Fa-f]{2}[ ,]{0,2}){12,}")
_HEX_DIGITS: Final = re.compile(r"(?:\\x|%|0x)?([0-9A-Fa-f]{2})")
_COMMON_WORDS: Final = frozenset(
    "a about all also an and any are as at be been but by can could do does for from give had has have he her him his "
    "how i if in into is it its just let like make me more my no not now of on only or our out please said say should "
    "show so some tell than that the their them then there these they this to up us use was we were what when where "
    "which who why will with without would write you your answer access admin code following forget ignore "
    "instructions never output previous print prompt reveal rules system user".split()
)
# Characters that nobody sees, within words; letters that pass for others; letters of double width.
_UNSEEN: Final = re.compile(r"\w[\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff]+(?=\w)")
_WIDE: Final = re.compile(r"[\uff21-\uff3a\uff41-\uff5a]")
_MATHEMATICAL: Final = re.compile(r"[\U0001d400-\U0001d7ff]")
_MIN_TRICKS: Final = 4
_READABLE: Final = 0.9
_MIN_LEET_WORDS: Final = 2
_MIN_GAIN: Final = 2
# Of a text of so many words at least: so many of the words that it makes, and twice as many as before.
_MIN_WORDS: Final = 4
_COMMON_SHARE: Final = 0.15


def readings(text: str) -> list[str]:
    """The text as it stands, cleaned of tricks, and what it says once decoded; the plain reading first."""
    plain, decoded, playful = told(text)
    return list(dict.fromkeys((plain, *decoded, *playful)))


def told(text: str) -> tuple[str, list[str], list[str]]:
    """The plain reading; those behind an encoding; those behind a spelling that people also use in play."""
    plain = _plain(text)
    decoded = [reading for reading in (_payloads(plain), *_turned(plain)) if reading != plain]
    playful = [reading for reading in (_unspaced(plain), _unleeted(plain)) if reading != plain]
    return plain, decoded, playful


def is_disguised(text: str) -> bool:
    """Whether letters were put in the place of others, or between them, that only a machine tells apart."""
    if text.isascii():
        return False
    mixed = sum(_latin(word) != word for word in _WORD.findall(text)) if _NOT_LATIN.search(text) else 0
    tricks = (_UNSEEN, _WIDE, _MATHEMATICAL)
    return mixed >= _MIN_TRICKS or any(len(trick.findall(text)) >= _MIN_TRICKS for trick in tricks)


def _plain(text: str) -> str:
    if text.isascii():
        return text
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
    now, share = _common(text), _common_share(text)
    return [
        other
        for other in (codecs.encode(text, "rot13"), text[::-1])
        if _common(other) >= now + _MIN_GAIN or _common_share(other) >= max(_COMMON_SHARE, 2 * share)
    ]


def _common_share(text: str) -> float:
    """Of the words between white space; a text of a few words has no share that says anything."""
    words = text.split()
    found = sum(len(word) > 1 and word.strip(".,:;!?'\"").lower() in _COMMON_WORDS for word in words)
    return found / len(words) if len(words) >= _MIN_WORDS else 0.0


def _common(text: str) -> int:
    return sum(word.lower() in _COMMON_WORDS for word in _WHOLE_WORD.findall(text))
