"""Settings of grounding, from `HEADRACE_GROUNDING_…` and the addresses that all services share."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from headrace.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read once, at the composition root."""

    model_config = SettingsConfigDict(
        env_prefix="HEADRACE_GROUNDING_", frozen=True, extra="ignore", populate_by_name=True
    )

    # Empty: the index is embedded, under the data folder.
    qdrant_url: str = Field("", validation_alias="HEADRACE_QDRANT_URL")
    qdrant_api_key: SecretStr | None = Field(None, validation_alias="HEADRACE_QDRANT_API_KEY")
    qdrant_timeout_seconds: int = Field(1, ge=1)

    embedding_model: str = "all-minilm-l6-v2"
    # One: a question needs no more, and a folder being indexed leaves the other cores to the chat model.
    embedding_threads: int = Field(1, ge=1)

    # A stronger encoder that re-scores what the first one finds; empty: none. It makes an index of its own.
    rescoring_model: str = ""

    # Of the embedding model. A passage costs the answer's first token about a millisecond per token on a CPU.
    chunk_tokens: int = Field(160, ge=16)
    # A Kafka message holds 1 MiB; this leaves room for the other fields.
    max_document_bytes: int = Field(1_000_000, ge=1)
    # Of a PDF or DOCX as it was saved; the topic takes messages of 8 MiB.
    max_file_bytes: int = Field(6_000_000, ge=1)

    # The collection of pipelines that name none.
    default_collection: str = "default"
    max_passages: int = Field(3, ge=1, le=50)
    # Cosine below which a passage says nothing about the question; measured, see README.md.
    min_score: float = Field(0.25, ge=-1, le=1)
    # What meaning counts against words, and what a document's second passage adds to its first: measured, README.md.
    meaning_weight: float = Field(0.5, ge=0, le=1)
    support_weight: float = Field(0.3, ge=0, le=1)
    history_exchanges: int = Field(10, ge=0)
    # Where memory or index cannot be reached: answer without, or try the turn again later.
    on_failure: Literal["answer", "retry"] = "answer"
