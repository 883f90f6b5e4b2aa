"""Where something may have begun that only the text to come completes: what must not be released yet."""

import re
from typing import Final

from services.safety.domain import terms
from services.safety.domain.credentials import LONGEST
from services.safety.domain.policy import Policy, TermsRule

# A sentence's end in scripts without white space closes what stands before it.
_CLOSED: Final = re.compile(r"[\u3002\uff01\uff1f]\Z")
_TOKEN: Final = re.compile(r"\S+\Z")
# Groups of digits, and of four letters as IBANs have them: "DE89 3704 ", "4111 1111 ", "+1 (555) 010 ".
_GROUP: Final = re.compile(
    r"(?:[+(]{0,2}[A-Za-z0-9()/.\-\u2010-\u2015]*\d[A-Za-z0-9()/.\-\u2010-\u2015]*|[A-Za-z]{4})\Z"
)
_SENTENCE_END: Final = re.compile(r"[.!?]\Z")
_HEADER: Final = re.compile(r"-----BEGIN[A-Z0-9 ]{0,60}\s\Z")
_NAMED: Final = re.compile(
    r"(?i)\b(?:password|passwd|passphrase|pwd|pin|passcode)[\"'`]{0,2}\s{0,3}(?:[:=]|\bis)?\s{0,3}\Z"
)


def begins(text: str, policy: Policy) -> int:
    """From here on the text may be the beginning of a leak; its length where it can be none.

    Never further back than the longest form: what has not become a leak by then is none.
    """
    known = [len(text), _token(text), _numbers(text), _start(_HEADER, text), _start(_NAMED, text)]
    known += [found for found in _terms(text, policy) if found is not None]
    return max(min(known), len(text) - LONGEST)


def _token(text: str) -> int:
    """A word that was cut in two."""
    return len(text) if _CLOSED.search(text) else _start(_TOKEN, text)


def _numbers(text: str) -> int:
    """A row of groups that further groups may follow."""
    if not text[-1:].isspace():
        return len(text)
    begin = at = len(text)
    floor = max(0, len(text) - LONGEST)
    while at > floor:
        end = len(text[:at].rstrip())
        group = _TOKEN.search(text, floor, end)
        if not group or not _GROUP.fullmatch(group.group()) or _SENTENCE_END.search(group.group()):
            break
        at = group.start()
        if any(char.isdigit() for char in group.group()):
            begin = at
    return begin


def _start(form: re.Pattern[str], text: str) -> int:
    match = form.search(text, max(0, len(text) - LONGEST))
    return match.start() if match else len(text)


def _terms(text: str, policy: Policy) -> list[int | None]:
    rules = (rule for rule in policy.rules if isinstance(rule, TermsRule) and rule.looks_at("output"))
    return [terms.begun(text, rule.terms) for rule in rules]
