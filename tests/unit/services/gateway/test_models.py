"""Which models are listed, and in which order."""

from headrace.runtime.paths import infra_dir
from services.gateway.adapters.models import RegisteredModels


def test_what_plays_a_model_is_listed_last_and_classifiers_are_not() -> None:
    listed = RegisteredModels(infra_dir() / "models").listed()
    names = [model.name for model in listed]
    assert names[0] == "smollm2-135m-instruct"
    assert names[-1] == "mock"
    assert {model.task for model in listed} == {"chat", "embed"}
