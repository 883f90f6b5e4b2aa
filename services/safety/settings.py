"""What safety reads from the environment."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from headrace.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything about what is allowed stands in the policies; here is only how long the service waits and keeps."""

    model_config = SettingsConfigDict(env_prefix="HEADRACE_SAFETY_", frozen=True, extra="ignore", populate_by_name=True)

    # Masks outlive the turn's deadline by this, so that an answer which comes in its last second is still restored.
    mask_grace_seconds: int = Field(300, ge=1)
    # The first start trains the injection head; on a slow machine that takes a minute.
    training_seconds: float = Field(600.0, gt=0)
    # Of the registry, task `tag`: finds names and addresses where a policy asks for them.
    names_model: str = "rampart-pii"
