"""Keys and passwords, drawn at random in the forms that their issuers document, in the places where people put them."""

from collections import Counter
from collections.abc import Iterator
from math import log2
from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import Final

_LONG: Final = 16
_BITS: Final = 3.5
_ALNUM: Final = ascii_letters + digits
_UPPER: Final = ascii_uppercase + digits
_HEX: Final = "0123456789abcdef"
_URL: Final = _ALNUM + "-_"
_B64: Final = _ALNUM + "+/"
# What stands before, of which alphabet the rest is, how long.
_ISSUED: Final = (
    *(("AKIA", _UPPER, 16), ("ASIA", _UPPER, 16), ("ghp_", _ALNUM, 36), ("gho_", _ALNUM, 36), ("glpat-", _URL, 20)),
    *(("github_pat_", _ALNUM, 60), ("xoxb-", digits, 11), ("AIza", _URL, 35), ("sk_live_", _ALNUM, 24)),
    *(("rk_live_", _ALNUM, 24), ("sk-proj-", _ALNUM, 48), ("sk-ant-api03-", _ALNUM, 60), ("hf_", ascii_letters, 34)),
    *(("npm_", _ALNUM, 36), ("pypi-AgEIcHlwaS5vcmc", _URL, 80), ("dop_v1_", _HEX, 64), ("shpat_", _HEX, 32)),
    *(("sq0csp-", _URL, 43), ("AC", _HEX, 32), ("AKC", _ALNUM, 60), ("key-", _HEX, 32), ("hvs.", _ALNUM, 90)),
    *(("dckr_pat_", _URL, 27), ("lin_api_", _ALNUM, 40), ("gsk_", _ALNUM, 52), ("whsec_", _B64, 32)),
)
_NAMED: Final = (
    *('api_key = "{}"', "AWS_SECRET_ACCESS_KEY={}", "client_secret: {}", "Authorization: Bearer {}"),
    *("The access token is {}.", "accountKey={}", "my private key: {}", "SESSION_TOKEN='{}'"),
)
_PASSWORDS: Final = (
    *("password: {}", "The password is {}.", "DB_PASSWORD={}", "postgres://admin:{}@db.internal:5432/app"),
    *("my pin is {}", 'passwd="{}"', "Das Passwort ist {}", "https://deploy:{}@git.internal/x.git"),
)
_AROUND: Final = (
    *(
        "Use {} for the upload.",
        "Why does {} not work?",
        "config: {}\nregion: eu-west-1",
        "I found this in the log: {}",
    ),
    *("I found this in the log: {}", "curl -H 'X-Token: {}' https://api.internal/v2/items", "{}"),
)


def issued(count: int) -> Iterator[tuple[str, int, int]]:
    """Keys that are known by their form: the text, and where the key stands."""
    chance = Random(5)  # noqa: S311 - the same keys each time
    for index in range(count):
        before, alphabet, length = _ISSUED[index % len(_ISSUED)]
        yield _placed(before + _drawn(chance, alphabet, length), chance.choice(_AROUND))


def named(count: int) -> Iterator[tuple[str, int, int]]:
    """Keys without a form, known by the name before them."""
    chance = Random(6)  # noqa: S311 - the same keys each time
    for index in range(count):
        value = _drawn(chance, chance.choice((_ALNUM, _B64, _HEX)), chance.choice((24, 32, 40)))
        yield _placed(value, _NAMED[index % len(_NAMED)])


def passwords(count: int) -> Iterator[tuple[str, int, int]]:
    """Passwords with at least a digit, known by the name before them or by the address around them."""
    chance = Random(8)  # noqa: S311 - the same passwords each time
    for index in range(count):
        word = _drawn(chance, ascii_lowercase, chance.randint(4, 8)).capitalize()
        yield _placed(f"{word}{chance.choice('!#$%&')}{chance.randrange(1000)}", _PASSWORDS[index % len(_PASSWORDS)])


def _drawn(chance: Random, alphabet: str, length: int) -> str:
    return "".join(chance.choice(alphabet) for _ in range(length))


def _placed(value: str, pattern: str) -> tuple[str, int, int]:
    at = pattern.index("{}")
    return pattern.format(value), at, at + len(value)


def is_random(value: str) -> bool:
    """The baseline: long, of letters and digits, and without order."""
    if len(value) < _LONG or value.isalpha() or value.isdigit():
        return False
    shares = [count / len(value) for count in Counter(value).values()]
    return -sum(share * log2(share) for share in shares) >= _BITS
