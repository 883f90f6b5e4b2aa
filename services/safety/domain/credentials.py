"""Recognisers of credentials: keys by the forms that their issuers gave them, and what is named as a password or key.

Every form is decided within `LONGEST` characters, so that the output gate knows how much it has to hold back.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from services.safety.domain.findings import Finding

LONGEST: Final = 256

_FORMS: Final = (
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",  # AWS
    r"gh[pousr]_[A-Za-z0-9]{36,}",
    r"github_pat_[A-Za-z0-9_]{22,}",
    r"gl(?:pat|dt|ft|soat|rt|cbt|ptt|imt|agent|oas)-[A-Za-z0-9_-]{20,}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"xapp-[A-Za-z0-9-]{20,}",
    r"AIza[A-Za-z0-9_-]{35}",  # Google
    r"ya29\.[A-Za-z0-9_-]{20,}",
    r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",  # Stripe
    r"sk-(?:[a-z0-9]{2,12}-){0,3}[A-Za-z0-9_]{20,}",  # OpenAI, Anthropic, OpenRouter
    r"hf_[A-Za-z0-9]{30,}",
    r"npm_[A-Za-z0-9]{36}",
    r"pypi-AgE[A-Za-z0-9_-]{30,}",
    r"SG\.[A-Za-z0-9_-]{16,40}\.[A-Za-z0-9_-]{16,}",  # SendGrid
    r"dop_v1_[a-f0-9]{64}",  # DigitalOcean
    r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",  # Shopify
    r"AGE-SECRET-KEY-1[A-Z0-9]{58}",
    r"sq0(?:csp|atp|idp)-[A-Za-z0-9_-]{22,43}",  # Square
    r"AC[a-f0-9]{32}(?![A-Za-z0-9])",  # Twilio
    r"SK[a-f0-9]{32}(?![A-Za-z0-9])",
    r"AKC[A-Za-z0-9]{20,}",  # Artifactory
    r"[a-f0-9]{32}-us[0-9]{1,2}(?![A-Za-z0-9])",  # Mailchimp
    r"[0-9]{8,10}:[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])",  # Telegram
    r"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}",  # Discord
    r"key-[a-f0-9]{32}(?![A-Za-z0-9])",  # Mailgun
    r"dckr_pat_[A-Za-z0-9_-]{20,}",
    r"(?:hvs|hvb|s)\.[A-Za-z0-9]{24,}",  # Vault
    r"lin_api_[A-Za-z0-9]{30,}",
    r"ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43}",  # Notion
    r"gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{30,}|pplx-[A-Za-z0-9]{40,}",  # model providers
    r"whsec_[A-Za-z0-9+/]{24,}",
    r"EAAC?[A-Za-z0-9]{60,}",  # Facebook
    r"eyJ[A-Za-z0-9_-]{10,180}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",  # JSON web token
)
_KEY: Final = re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(_FORMS)})")
# Without its end the header alone is found; with it, all of the key is.
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[^-]{0,8000}-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----)?"
)
# `AWS_SECRET_ACCESS_KEY`, `my-service-api-key`, "the client secret", `Authorization: Bearer`.
_NAMED_KEY: Final = re.compile(
    r"(?i:(?<![A-Za-z])(?:[a-z0-9]{1,20}[_-]){0,4}"
    r"(?:api|access|auth|secret|private|bearer|client|account|session|signing|encryption|refresh|app|webhook|shared)"
    r"(?:[ _-]?access)?[ _-]?(?:key|token|secret|id token)\b"
    r"|\b(?:authtoken|_authToken|accountkey|sharedaccesskey)\b|\bauthorization: *(?:bearer|basic)\b)"
    r"[\"'`]{0,2}(?: is| to)?\s{0,3}[:=]{0,2}\s{0,3}[\"'`]?(?P<value>[A-Za-z0-9+/_=.~-]{16,200})"
)
_NAMED_PASSWORD: Final = re.compile(
    r"(?i:(?<![A-Za-z])(?:[a-z0-9]{1,20}[_-]){0,3}"
    r"(?:password|passwd|passphrase|pwd|pin|passcode|passwort|contrase\u00f1a|mot de passe)\b)"
    r"[\"'`]{0,2}\s{0,3}(?:[:=]|\b(?:is|ist|es|est)\b)\s{0,3}[\"'`]?(?P<value>[^\s\"'`,;<>]{4,64})"
)
# `postgres://user:password@host`; a port or a placeholder is no password.
_IN_ADDRESS: Final = re.compile(
    r"[a-z][a-z0-9+.-]{1,20}://[^\s:/@<>{}$]{1,64}:(?P<value>(?!\$)[^\s:/@<>{}*]{3,64})@[\w.-]"
)
_WEBHOOK: Final = re.compile(
    r"https://(?:hooks\.slack\.com/services/T\w{5,20}/B\w{5,20}/\w{16,}"
    r"|discord(?:app)?\.com/api/webhooks/\d{15,20}/[\w-]{40,80})"
)
_PUTTY: Final = re.compile(r"PuTTY-User-Key-File-\d: [\w-]{3,40}")
# Bits a character: words lie near 3, random base64 of 20 characters and more above 3.5.
_RANDOM_BITS: Final = 3.3


def keys(text: str) -> Iterator[Finding]:
    """API keys, tokens and private keys."""
    for form in (_KEY, _PRIVATE_KEY, _WEBHOOK, _PUTTY):
        for match in form.finditer(text):
            yield Finding(match.start(), match.end(), "SECRET")
    for match in _NAMED_KEY.finditer(text):
        value = match["value"].rstrip(".")
        if _looks_random(value):
            yield Finding(match.start("value"), match.start("value") + len(value), "SECRET", 0.8)


def passwords(text: str) -> Iterator[Finding]:
    """What is named as a password and is no plain word: "my password is required" is harmless."""
    for match in _IN_ADDRESS.finditer(text):
        yield Finding(match.start("value"), match.end("value"), "PASSWORD", 0.8)
    for match in _NAMED_PASSWORD.finditer(text):
        value = match["value"].rstrip(".!?)")
        if any(char.isdigit() for char in value) or not value.isalpha():
            yield Finding(match.start("value"), match.start("value") + len(value), "PASSWORD", 0.7)


def _looks_random(value: str) -> bool:
    mixed = any(char.isdigit() for char in value) and any(char.isalpha() for char in value)
    return mixed and _entropy(value) >= _RANDOM_BITS


def _entropy(value: str) -> float:
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())
