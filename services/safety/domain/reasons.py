"""What a person may read about a finding: its kind, never the words."""

from typing import Final

_NAMES: Final = {
    "EMAIL": "an e-mail address",
    "PHONE": "a phone number",
    "CREDIT_CARD": "a card number",
    "IBAN": "a bank account number",
    "US_SSN": "a social security number",
    "IP_ADDRESS": "an IP address",
    "BIRTH_DATE": "a date of birth",
    "PERSON": "a name",
    "ADDRESS": "a postal address",
    "CRYPTO": "the address of a crypto wallet",
    "MAC_ADDRESS": "the address of a network card",
    "PASSPORT": "a passport number",
    "DRIVER_LICENSE": "the number of a driving licence",
    "SECRET": "a key or token",
    "PASSWORD": "a password",
    "INJECTION": "an attempt to change how the assistant works",
    "INSTRUCTIONS": "a quotation of the assistant's own instructions",
    "TOXICITY": "an insult or profanity",
    "UNGROUNDED": "a statement that its sources do not bear out",
    "TERM": "a term that the policy excludes",
}
# The other kinds are all of the same sort.
_NUMBER: Final = "an identification number"


def reason(kind: str, where: str) -> str:
    """Such as "an e-mail address in the question"."""
    return f"{_NAMES.get(kind, _NUMBER)} in {where}"
