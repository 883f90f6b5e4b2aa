"""A policy: which rules look at which direction, and what follows. One file of `infra/policies`, frozen once read."""

import hashlib
import json
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from services.safety.domain import identifiers

Action = Literal["allow", "warn", "mask", "refuse", "route"]
Side = Literal["input", "output"]
Direction = Literal["input", "output", "both"]
Credential = Literal["keys", "passwords"]
# By patterns and checksums; found in microseconds.
PATTERNED: Final = frozenset({"EMAIL", "PHONE", "CREDIT_CARD", "IBAN", "US_SSN", "IP_ADDRESS", "BIRTH_DATE"})
# By a model, which takes milliseconds a sentence.
MODELLED: Final = frozenset({"PERSON", "ADDRESS"})
# In a list of entities: every kind of number in `identifiers`.
ALL_IDENTIFIERS: Final = "IDENTIFIERS"


def _known(entity: str) -> str:
    known = PATTERNED | MODELLED | identifiers.KINDS | {ALL_IDENTIFIERS}
    if entity not in known:
        raise ValueError(f"{entity!r} is no kind of personal data: use {', '.join(sorted(known))}")
    return entity


Entity = Annotated[str, AfterValidator(_known)]

REFUSED: Final = "This cannot be answered here. Please ask in another way."
# A forbidden term must fit well into what the gate can hold back.
Term = Annotated[str, Field(min_length=3, max_length=100, pattern=r"^\S+( \S+)*$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Rule(_Part):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    direction: Direction = "both"
    action: Action
    # What the person reads when the turn is refused or a warning is due.
    message: str = Field(REFUSED, min_length=1)

    def said(self, why: str) -> str:
        """What a person reads of a verdict: of a warning its own words, if it has any, else what was found."""
        return self.message if self.action == "warn" and self.message != REFUSED else why

    def looks_at(self, side: Side) -> bool:
        """Whether this rule judges what goes in, or what comes out."""
        return self.direction in (side, "both")


class PersonalDataRule(_Rule):
    """Personal data, by recognisers with checksums where the kind has one."""

    kind: Literal["pii"]
    entities: tuple[Entity, ...] = Field(min_length=1)

    @field_validator("entities")
    @classmethod
    def _spelt_out(cls, entities: tuple[str, ...]) -> tuple[str, ...]:
        """The digest of a policy changes with the kinds that it finds, so they are named one by one."""
        named = [entity for entity in entities if entity != ALL_IDENTIFIERS]
        more = sorted(identifiers.KINDS) if len(named) < len(entities) else []
        return tuple(dict.fromkeys((*named, *more)))

    # Values that are nobody's secret, such as `*@example.com`; shell patterns, case aside.
    exempt: tuple[str, ...] = ()


class CredentialRule(_Rule):
    """API keys, tokens, private keys (by their well-known forms), and passwords that are named as such."""

    kind: Literal["secrets"]
    kinds: tuple[Credential, ...] = Field(("keys",), min_length=1)


class InjectionRule(_Rule):
    """Attempts to take over the model, by the trained classifier."""

    kind: Literal["injection"]
    direction: Literal["input"] = "input"
    action: Literal["allow", "warn", "refuse", "route"]
    threshold: float = Field(gt=0, lt=1)


class HiddenInstructionRule(_Rule):
    """Instructions to the model in a retrieved source. With `mask` the model reads the source without them."""

    kind: Literal["hidden-instructions"]
    direction: Literal["input"] = "input"
    threshold: float = Field(gt=0, lt=1)


class TermsRule(_Rule):
    """Words and phrases, whole and whatever their case."""

    kind: Literal["terms"]
    action: Literal["allow", "warn", "refuse", "route"]
    terms: tuple[Term, ...] = Field(min_length=1)


class ToxicityRule(_Rule):
    """Profanity and insults, by a linear classifier over words: a weak signal, for warnings rather than refusals."""

    kind: Literal["toxicity"]
    action: Literal["allow", "warn", "refuse", "route"]
    threshold: float = Field(gt=0, lt=1)


class PromptLeakRule(_Rule):
    """So many words in a row of the instructions in `infra/prompts`."""

    kind: Literal["prompt-leak"]
    direction: Literal["output"] = "output"
    action: Literal["allow", "warn", "refuse", "route"]
    # Fewer are said by chance; more than the gate holds back would be shown before they are counted.
    words: int = Field(8, ge=5, le=20)


class GroundednessRule(_Rule):
    """Statements that what they cite does not bear out. It needs the whole answer, which is shown by then."""

    kind: Literal["groundedness"]
    direction: Literal["output"] = "output"
    action: Literal["allow", "warn", "route"]
    # How much of a statement its passages must bear out, from 0 to 1.
    threshold: float = Field(gt=0, lt=1)


Rule = Annotated[
    PersonalDataRule
    | CredentialRule
    | InjectionRule
    | HiddenInstructionRule
    | TermsRule
    | ToxicityRule
    | PromptLeakRule
    | GroundednessRule,
    Field(discriminator="kind"),
]


class Example(_Part):
    """A text, and what the policy says about it: read by people, held by `headrace safety test`.

    On the side `source` the text is a passage that was retrieved. An answer may have the `sources` that it cites.
    """

    text: str
    side: Literal["input", "output", "source"] = "input"
    sources: tuple[str, ...] = ()
    expect: Literal["cleared", "warned", "masked", "refused", "routed"]


class Policy(_Part):
    """All rules of one name, and how the output gate holds back."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    version: str = Field(min_length=1)
    # On trial beside the policy of this name: judged on the same turns, and without any effect on them.
    shadows: str | None = None
    # At most so many characters wait for the end of a sentence.
    hold_chars: int = Field(240, ge=80, le=2000)
    # Whether values in retrieved sources are masked like those in the question.
    sources: Literal["mask", "leave"] = "mask"
    # Regions whose national phone numbers are found; those with a country code are found in any case.
    phone_regions: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = ()
    rules: tuple[Rule, ...]
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _rules_can_be_kept(self) -> Self:
        names = [rule.name for rule in self.rules]
        if len(names) != len(set(names)):
            raise ValueError("two rules have the same name: verdicts could not be told apart")
        for rule in self.rules:
            if rule.action == "mask" and rule.looks_at("output"):
                raise ValueError(
                    f"rule {rule.name}: what a model says cannot be masked, only let through or stopped: "
                    "set direction to input, and add a rule for output with allow, warn or refuse"
                )
        return self

    @property
    def identity(self) -> str:
        """`default@1+1f2e3d4c`: name, version, and a digest of all that decides, so that a silent edit shows."""
        content = json.dumps(self.model_dump(mode="json", exclude={"examples"}), sort_keys=True)
        return f"{self.name}@{self.version}+{hashlib.sha256(content.encode()).hexdigest()[:8]}"
