"""The registry: every model that may be asked for, read from `infra/models/*.yaml`."""

from collections.abc import Collection, Mapping
from pathlib import Path

import yaml
from pydantic import ValidationError

from headrace.messaging.errors import Fatal, Invalid
from headrace.models.spec import ModelSpec
from headrace.runtime.misfits import misfit


class Registry:
    """Models by name."""

    def __init__(self, specs: Mapping[str, ModelSpec]) -> None:
        self._specs = dict(specs)

    @property
    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._specs))

    def names_for(self, task: str) -> tuple[str, ...]:
        """The names of those that do this, sorted."""
        return tuple(name for name in self.names if self._specs[name].task == task)

    def get(self, name: str, *, task: str | Collection[str] = ()) -> ModelSpec:
        """The model of this name, for any of these tasks; else `Invalid`, naming those that would do."""
        spec = self._specs.get(name)
        tasks = (task,) if isinstance(task, str) else task
        if spec is not None and (not tasks or spec.task in tasks):
            return spec
        known = ", ".join(known for known in self.names if not tasks or self._specs[known].task in tasks)
        asked = " or ".join(tasks)
        wrong = f"unknown model {name!r}" if spec is None else f"model {name!r} is for {spec.task}, not for {asked}"
        raise Invalid(f"{wrong}: use one of {known}", code="unknown_model", field="model")


def load_registry(folder: Path) -> Registry:
    """Read every `*.yaml` of the folder; a file that does not fit is `Fatal` and named."""
    specs: dict[str, ModelSpec] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            spec = ModelSpec.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (ValidationError, yaml.YAMLError) as exc:
            raise Fatal(f"{path} is no model: {misfit(exc)}") from exc
        if spec.name != path.stem:
            raise Fatal(f"{path} calls its model {spec.name!r}: name the file {spec.name}.yaml")
        specs[spec.name] = _anchored(spec, folder)
    for name, spec in specs.items():
        specs[name] = _on_its_base(_on_its_encoder(spec, specs, folder), specs, folder)
        _can_be_replaced(spec, specs, folder)
    if not specs:
        raise Fatal(f"no models in {folder}: set HEADRACE_INFRA_DIR to the folder that holds models/")
    return Registry(specs)


def _on_its_encoder(spec: ModelSpec, specs: Mapping[str, ModelSpec], folder: Path) -> ModelSpec:
    """The same spec with the encoder's in place of its name: whoever runs it needs no registry."""
    if not isinstance(spec.encoder, str):
        return spec
    encoder = specs.get(spec.encoder)
    if encoder is None or encoder.task != "embed":
        known = ", ".join(name for name, other in specs.items() if other.task == "embed")
        raise Fatal(f"{folder / spec.name}.yaml names the encoder {spec.encoder!r}: use one of {known}")
    return spec.model_copy(update={"encoder": encoder})


def _on_its_base(spec: ModelSpec, specs: Mapping[str, ModelSpec], folder: Path) -> ModelSpec:
    """The same spec with the model that it adapts in place of its name."""
    if not isinstance(spec.base, str):
        return spec
    bases = [name for name, other in specs.items() if other.task == "chat" and not other.base and not other.mock]
    if spec.base not in bases:
        known = ", ".join(bases) or "none: there is no chat model to adapt"
        raise Fatal(f"{folder / spec.name}.yaml names the base {spec.base!r}: use one of {known}")
    return spec.model_copy(update={"base": specs[spec.base]})


def _can_be_replaced(spec: ModelSpec, specs: Mapping[str, ModelSpec], folder: Path) -> None:
    others = [name for name, other in specs.items() if other.task == spec.task and name != spec.name]
    if spec.fallback is not None and spec.fallback not in others:
        known = ", ".join(others) or "none: there is no other for its task"
        raise Fatal(f"{folder / spec.name}.yaml names the fallback {spec.fallback!r}: use one of {known}")


def _anchored(spec: ModelSpec, folder: Path) -> ModelSpec:
    """The same spec, its path made absolute: it means the same wherever the process stands."""
    if spec.source.type != "path":
        return spec
    absolute = spec.source.model_copy(update={"path": str((folder / Path(spec.source.path).expanduser()).resolve())})
    return spec.model_copy(update={"source": absolute})
