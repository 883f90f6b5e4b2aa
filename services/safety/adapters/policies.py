"""Policies from `infra/policies`: read once, checked, each with the detectors that its rules need."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ValidationError

from headrace.messaging.errors import Fatal
from headrace.runtime.misfits import misfit
from headrace.runtime.pipelines import Pipelines
from services.safety.adapters.identifiers import identifiers
from services.safety.adapters.phones import phones
from services.safety.domain import personal_data
from services.safety.domain.findings import Detectors, Recogniser
from services.safety.domain.identifiers import KINDS
from services.safety.domain.policy import MODELLED, PersonalDataRule, Policy
from services.safety.ports import Looks, Rulebook

_DEFAULT: Final = "default"


def load_policies(folder: Path) -> dict[str, Policy]:
    """Every `*.yaml` of the folder by its name; a file that does not fit is `Fatal` and named."""
    found: dict[str, Policy] = {}
    for path in sorted(folder.glob("*.yaml")):
        policy = read_policy(path)
        found[policy.name] = policy
    for policy in found.values():
        if policy.shadows and (policy.shadows not in found or policy.shadows == policy.name):
            raise Fatal(
                f"policy {policy.name} shadows {policy.shadows!r}, which is no other policy of {folder} "
                f"(there: {', '.join(sorted(found))}): correct `shadows`, or leave it out to put the policy in force"
            )
    return found


def read_policy(path: Path) -> Policy:
    """One file; what does not fit is `Fatal` and named."""
    try:
        return Policy.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as exc:
        raise Fatal(f"{path} cannot be read ({exc.strerror}): correct the path") from exc
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as exc:
        raise Fatal(f"{path} is no policy: {misfit(exc)}") from exc


def detectors_for(policy: Policy, looks: Looks) -> Detectors:
    """The recognisers of personal data with the policy's regions, and what all policies share."""
    personal: dict[str, Recogniser] = {
        "EMAIL": personal_data.emails,
        "PHONE": phones(policy.phone_regions),
        "CREDIT_CARD": personal_data.cards,
        "IBAN": personal_data.ibans,
        "US_SSN": personal_data.social_security_numbers,
        "IP_ADDRESS": personal_data.ip_addresses,
        "BIRTH_DATE": personal_data.birth_dates,
        **{kind: identifiers(kind) for kind in KINDS},
    }
    if looks.names:
        personal |= {"PERSON": looks.names.people, "ADDRESS": looks.names.addresses}
    return Detectors(personal, looks.injection, looks.hidden, looks.toxicity, looks.instructions)


def needs(policies: Mapping[str, Policy], *kinds: type[BaseModel]) -> bool:
    """Whether any rule is of one of these kinds."""
    return any(isinstance(rule, kinds) for policy in policies.values() for rule in policy.rules)


def needs_names(policies: Mapping[str, Policy]) -> bool:
    """Whether any rule looks for what only the model of names finds."""
    rules = (rule for policy in policies.values() for rule in policy.rules if isinstance(rule, PersonalDataRule))
    return any(MODELLED & set(rule.entities) for rule in rules)


def in_use(pipelines: Pipelines, policies: Mapping[str, Policy]) -> dict[str, Policy]:
    """Those that a pipeline names, and those on trial beside them."""
    named = {pipelines.get(name).settings.get("policy", _DEFAULT) for name in pipelines.names}
    return {name: policy for name, policy in policies.items() if name in named or policy.shadows in named}


class PipelinePolicies:
    """Which pipeline goes by which policy stands in the pipeline's file."""

    def __init__(self, pipelines: Pipelines, policies: Mapping[str, Policy], looks: Looks) -> None:
        self._pipelines = pipelines
        self._rulebooks = {name: Rulebook(policy, detectors_for(policy, looks)) for name, policy in policies.items()}

    def of(self, pipeline: str) -> Rulebook:
        name = self._pipelines.get(pipeline).settings.get("policy", _DEFAULT)
        try:
            book = self._rulebooks[name]
        except KeyError:
            known = ", ".join(sorted(self._rulebooks)) or "none"
            raise Fatal(
                f"pipeline {pipeline} goes by policy {name!r}, which is not in infra/policies (there: {known}): "
                "correct `policy` in the pipeline's file or add the policy"
            ) from None
        trials = tuple(other for other in self._rulebooks.values() if other.policy.shadows == name)
        return replace(book, trials=trials) if trials else book
