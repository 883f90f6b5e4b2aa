"""What preprocessing reads from the environment."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from headrace.runtime.settings import ServiceSettings
from services.preprocessing.domain.validation import Limits


class Settings(ServiceSettings):
    """Limits of a request; the model's own window comes on top."""

    model_config = SettingsConfigDict(
        env_prefix="HEADRACE_PREPROCESSING_", frozen=True, extra="ignore", populate_by_name=True
    )

    max_characters: int = Field(32_000, ge=1)
    max_messages: int = Field(100, ge=1)
    max_labels: int = Field(20, ge=2)
    max_deadline_seconds: int = Field(86_400, ge=1)

    def limits(self) -> Limits:
        """The limits as the domain takes them."""
        return Limits(
            max_characters=self.max_characters,
            max_messages=self.max_messages,
            max_labels=self.max_labels,
            max_deadline_seconds=self.max_deadline_seconds,
        )
