from pathlib import Path

import pytest
from pydantic import ValidationError

from headrace.messaging.errors import Fatal, Invalid
from headrace.runtime.pipelines import Pipelines
from services.safety.adapters.policies import PipelinePolicies, in_use, load_policies, needs, needs_names
from services.safety.domain.findings import Detectors
from services.safety.domain.policy import InjectionRule, PersonalDataRule, Policy
from services.safety.ports import Looks, Rulebook

INFRA = Path(__file__).parents[4] / "infra"


def policy(**changes: object) -> Policy:
    return Policy.model_validate({"name": "p", "version": "1", "rules": [], **changes})


def test_every_pipeline_goes_by_a_policy_that_is_there() -> None:
    pipelines = Pipelines.load(INFRA / "pipelines")
    rulebooks = PipelinePolicies(pipelines, load_policies(INFRA / "policies"), Looks())
    assert rulebooks.of("chat").policy.name == "default"
    assert rulebooks.of("reviews").policy.name == "reviews"


def test_an_unknown_pipeline_is_the_askers_mistake_and_a_missing_policy_ours() -> None:
    pipelines = Pipelines.load(INFRA / "pipelines")
    with pytest.raises(Invalid):
        PipelinePolicies(pipelines, {}, Looks()).of("nowhere")
    with pytest.raises(Fatal, match="add the policy"):
        PipelinePolicies(pipelines, {}, Looks()).of("chat")


def test_a_file_that_is_no_policy_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("name: broken\nversion: '1'\nrules: []\ntypo: 1\n", encoding="utf-8")
    with pytest.raises(Fatal, match=r"broken\.yaml is no policy"):
        load_policies(tmp_path)


def test_the_identity_changes_with_what_decides_and_with_nothing_else() -> None:
    rules = [{"name": "t", "kind": "terms", "action": "warn", "terms": ["blue heron"]}]
    one = policy(rules=rules)
    assert one.identity.startswith("p@1+")
    assert one.identity == policy(rules=rules, examples=[{"text": "x", "expect": "cleared"}]).identity
    assert one.identity != policy(rules=[{**rules[0], "terms": ["red heron"]}]).identity


@pytest.mark.parametrize("direction", ["output", "both"])
def test_what_a_model_says_cannot_be_masked(direction: str) -> None:
    rule = {"name": "pii", "kind": "pii", "action": "mask", "direction": direction, "entities": ["EMAIL"]}
    with pytest.raises(ValidationError, match="set direction to input"):
        policy(rules=[rule])


def test_two_rules_of_one_name_are_refused() -> None:
    rule = {"name": "t", "kind": "terms", "action": "warn", "terms": ["abc"]}
    with pytest.raises(ValidationError, match="same name"):
        policy(rules=[rule, rule])


def test_an_injection_cannot_be_masked_and_a_policy_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        policy(rules=[{"name": "i", "kind": "injection", "action": "mask", "threshold": 0.5}])
    with pytest.raises(ValidationError):
        setattr(policy(), "version", "2")  # noqa: B010 - mypy forbids the plain form, the point is the run


def test_the_head_is_needed_only_where_a_rule_asks_for_it() -> None:
    assert needs(load_policies(INFRA / "policies"), InjectionRule)
    assert not needs({"p": policy()}, InjectionRule)


def test_a_model_is_loaded_for_the_policies_in_use_and_for_no_other() -> None:
    """INVARIANT: a policy that no pipeline names costs nothing."""
    policies = load_policies(INFRA / "policies")
    used = in_use(Pipelines.load(INFRA / "pipelines"), policies)
    assert set(used) == {"default", "reviews"}
    assert needs_names(policies)
    assert not needs_names(used)


def test_a_policy_on_trial_is_judged_beside_the_one_it_shadows() -> None:
    pipelines = Pipelines.load(INFRA / "pipelines")
    policies = {"default": policy(name="default"), "stricter": policy(name="stricter", shadows="default")}
    assert set(in_use(pipelines, policies)) == {"default", "stricter"}
    book = PipelinePolicies(pipelines, policies, Looks()).of("chat")
    assert [trial.policy.name for trial in book.trials] == ["stricter"]


def test_a_policy_on_trial_beside_none_is_named(tmp_path: Path) -> None:
    text = "name: stricter\nversion: '1'\nshadows: defualt\nrules: []\n"
    (tmp_path / "stricter.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Fatal, match="stricter shadows 'defualt'"):
        load_policies(tmp_path)


def test_an_unknown_kind_of_personal_data_is_answered_with_the_known_ones() -> None:
    rule = {"name": "r", "kind": "pii", "action": "warn", "entities": ["EMIAL"]}
    with pytest.raises(ValidationError, match="'EMIAL' is no kind of personal data: use ABA_ROUTING_NUMBER"):
        policy(rules=[rule])


def test_identifiers_are_spelt_out_so_that_a_new_kind_shows_in_the_digest() -> None:
    (rule,) = policy(rules=[{"name": "r", "kind": "pii", "action": "warn", "entities": ["IDENTIFIERS"]}]).rules
    assert isinstance(rule, PersonalDataRule)
    assert "UK_NHS" in rule.entities
    assert "IDENTIFIERS" not in rule.entities


@pytest.mark.parametrize(("entities", "direction", "waits"), [
    (["PERSON"], "both", True),
    (["PERSON"], "input", False),
    (["EMAIL"], "both", False),
])  # fmt: skip
def test_only_an_answer_that_is_searched_for_names_is_judged_off_the_loop(
    entities: list[str], direction: str, *, waits: bool
) -> None:
    rule = {"name": "r", "kind": "pii", "action": "warn", "direction": direction, "entities": entities}
    assert Rulebook(policy(rules=[rule]), Detectors()).waits_for_a_model == waits
