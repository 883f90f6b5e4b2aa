"""The settings that every service has; each service adds its own in its `settings.py`."""

import socket

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Read from the environment, once, at the composition root. Subclasses set `env_prefix="HEADRACE_<SERVICE>_"`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    kafka_bootstrap: str = Field("127.0.0.1:9092", validation_alias="HEADRACE_KAFKA_BOOTSTRAP")
    redis_url: str = Field("redis://127.0.0.1:6379/0", validation_alias="HEADRACE_REDIS_URL")
    # Names this process among its like: static membership and the ledger's owner. Stable over restarts.
    instance: str = Field(default_factory=socket.gethostname, validation_alias="HEADRACE_INSTANCE")
    ops_host: str = Field("127.0.0.1", validation_alias="HEADRACE_OPS_HOST")
    # Health, readiness and metrics; 0 takes a free port.
    ops_port: int = Field(0, validation_alias="HEADRACE_OPS_PORT")
    concurrency: int = Field(16, ge=1, le=4096)
    # The flood breaker of each stage: open after so many failures in a row (0: never), or this share of the last 100.
    breaker_consecutive: int = Field(20, ge=0, validation_alias="HEADRACE_BREAKER_CONSECUTIVE")
    breaker_ratio: float = Field(0.5, gt=0, le=1, validation_alias="HEADRACE_BREAKER_RATIO")
    drain_seconds: float = Field(20.0, gt=0, validation_alias="HEADRACE_DRAIN_SECONDS")
