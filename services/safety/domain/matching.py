"""Where a rule applies in a text: the one place that knows each kind of rule."""

from fnmatch import fnmatchcase
from typing import assert_never

from services.safety.domain import credentials, terms
from services.safety.domain.findings import Detectors, Finding, without_overlaps
from services.safety.domain.injection import injections
from services.safety.domain.masking import MASK
from services.safety.domain.policy import CredentialRule, InjectionRule, PersonalDataRule, Rule, TermsRule


def matches(rule: Rule, text: str, detectors: Detectors) -> list[Finding]:
    """In order of place, without overlaps."""
    match rule:
        case PersonalDataRule():
            return _personal(rule, text, detectors)
        case CredentialRule():
            keys = credentials.keys(text) if "keys" in rule.kinds else ()
            passwords = credentials.passwords(text) if "passwords" in rule.kinds else ()
            return without_overlaps((*keys, *passwords))
        case InjectionRule():
            return injections(text, detectors.injection, rule.threshold)
        case TermsRule():
            return without_overlaps(terms.occurrences(text, rule.terms))
        case never:
            assert_never(never)


def _personal(rule: PersonalDataRule, text: str, detectors: Detectors) -> list[Finding]:
    found = (finding for entity in rule.entities for finding in detectors.personal[entity](text))
    masks = [match.span() for match in MASK.finditer(text)]
    return without_overlaps(
        finding
        for finding in found
        if not _is_exempt(text[finding.start : finding.end].casefold(), rule.exempt)
        # What stands for a name is read as one by whoever knows names.
        and not any(finding.start < end and start < finding.end for start, end in masks)
    )


def _is_exempt(value: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(value, pattern.casefold()) for pattern in patterns)
