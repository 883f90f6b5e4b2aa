"""Where a rule applies in a text: the one place that knows each kind of rule."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import assert_never

from services.safety.domain import credentials, leakage, terms
from services.safety.domain.findings import Detectors, Finding, without_overlaps
from services.safety.domain.injection import injections, worst_sentence
from services.safety.domain.masking import MASK
from services.safety.domain.policy import (
    CredentialRule,
    GroundednessRule,
    HiddenInstructionRule,
    InjectionRule,
    PersonalDataRule,
    PromptLeakRule,
    Rule,
    TermsRule,
    ToxicityRule,
)


def matches(rule: Rule, text: str, detectors: Detectors) -> list[Finding]:
    """In order of place, without overlaps."""
    return without_overlaps(_findings(rule, text, detectors))


def _findings(rule: Rule, text: str, detectors: Detectors) -> Iterable[Finding]:
    match rule:
        case PersonalDataRule():
            found: Iterable[Finding] = _personal(rule, text, detectors)
        case CredentialRule():
            keys = credentials.keys(text) if "keys" in rule.kinds else ()
            passwords = credentials.passwords(text) if "passwords" in rule.kinds else ()
            found = (*keys, *passwords)
        case InjectionRule():
            found = injections(text, detectors.injection, rule.threshold)
        case HiddenInstructionRule():
            found = injections(text, detectors.hidden, rule.threshold)
        case TermsRule():
            found = terms.occurrences(text, rule.terms)
        case ToxicityRule():
            found = worst_sentence(text, detectors.toxicity, rule.threshold, "TOXICITY")
        case PromptLeakRule():
            found = leakage.quotations(text, detectors.instructions, rule.words)
        case GroundednessRule():
            # Judged over the whole answer with what it cites: a piece of it says too little.
            found = ()
        case never:
            assert_never(never)
    return found


def _personal(rule: PersonalDataRule, text: str, detectors: Detectors) -> Iterable[Finding]:
    found = (finding for entity in rule.entities for finding in detectors.personal[entity](text))
    masks = [match.span() for match in MASK.finditer(text)]
    return (
        finding
        for finding in found
        if not _is_exempt(text[finding.start : finding.end].casefold(), rule.exempt)
        # What stands for a name is read as one by whoever knows names.
        and not any(finding.start < end and start < finding.end for start, end in masks)
    )


def _is_exempt(value: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(value, pattern.casefold()) for pattern in patterns)
