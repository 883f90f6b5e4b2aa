"""What postprocessing reads from the environment."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from headrace.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """How much a conversation remembers, and for how long."""

    model_config = SettingsConfigDict(
        env_prefix="HEADRACE_POSTPROCESSING_", frozen=True, extra="ignore", populate_by_name=True
    )

    memory_exchanges: int = Field(50, ge=1)
    memory_seconds: int = Field(7 * 24 * 3600, ge=1)
