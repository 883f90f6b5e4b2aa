"""What inference reads from the environment."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from headrace.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Where models run, and how long what they said is kept."""

    model_config = SettingsConfigDict(
        env_prefix="HEADRACE_INFERENCE_", frozen=True, extra="ignore", populate_by_name=True
    )

    # `ray`: a Serve application per model; `local`: in child processes of this one.
    runtime: Literal["ray", "local"] = "ray"
    # An address attaches to a running cluster; empty starts one that lives as long as this process.
    ray_address: str = Field("", validation_alias="HEADRACE_RAY_ADDRESS")
    # Models to load before the first turn asks for one; others are loaded when they are first asked for.
    warm_models: tuple[str, ...] = ("smollm2-135m-instruct",)
    concurrency: int = Field(64, ge=1, le=4096)
    # After the first token, text goes out at most this often.
    linger_ms: int = Field(40, ge=0)
    # A dead instance's turns are taken over after this long; its own restart does not wait.
    lease_seconds: float = Field(15.0, gt=0)
    ledger_seconds: int = Field(6 * 3600, ge=1)
    cache_seconds: int = Field(24 * 3600, ge=1)
