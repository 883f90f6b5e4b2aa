"""What a person may read about a finding: its kind, never the words."""

from typing import Final

_NAMES: Final = {
    "EMAIL": "an e-mail address",
    "PHONE": "a phone number",
    "CREDIT_CARD": "a card number",
    "IBAN": "a bank account number",
    "US_SSN": "a social security number",
    "IP_ADDRESS": "an IP address",
    "SECRET": "a key or token",
    "PASSWORD": "a password",
    "INJECTION": "an attempt to change how the assistant works",
    "TERM": "a term that the policy excludes",
}


def reason(kind: str, where: str) -> str:
    """Such as "an e-mail address in the question"."""
    return f"{_NAMES[kind]} in {where}"
