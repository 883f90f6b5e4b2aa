"""What can be set about the gateway."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from headrace.runtime.settings import ServiceSettings
from services.gateway.domain.admission import Limits


class Settings(ServiceSettings):
    """Read from `HEADRACE_GATEWAY_…`."""

    model_config = SettingsConfigDict(
        env_prefix="HEADRACE_GATEWAY_", frozen=True, extra="ignore", populate_by_name=True
    )

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    # The reply partition; unset: derived from the instance. Gateways may share one.
    slot: int | None = Field(None, ge=0)
    tenant: str = "default"
    # Turns asked here and not yet done, whatever admission measures: bounds memory.
    max_in_flight: int = Field(1024, ge=1)
    # So many may always wait for their first word, however slow the model is.
    min_waiting: int = Field(8, ge=1)
    # How long a question may stand in line before its turn comes; more than the path begins in that time are refused.
    queue_seconds: float = Field(2.0, gt=0)
    # What a question has where it asks for no timeout of its own: the pipelines' deadline.
    deadline_seconds: float = Field(120.0, gt=0)
    max_frame_bytes: int = Field(512 * 1024, ge=1024, le=900 * 1024)
    # Beyond this a frame is not even read and the socket closes with 1009.
    max_socket_bytes: int = Field(16 * 1024 * 1024, ge=1024)
    # After its socket closed a turn goes on this long, in case the client comes back.
    resume_seconds: float = Field(10.0, ge=0)
    # Open websockets; more are refused with 503. Each costs some tens of kilobytes.
    max_sockets: int = Field(8192, ge=1)
    # A client whose connection takes nothing for this long is sent away; it may connect again and resume.
    slow_client_seconds: float = Field(10.0, gt=0)
    # How long to wait for deltas that the final says exist before the final's text stands in for them.
    stragglers_seconds: float = Field(2.0, ge=0)
    # After this long without a final the client is told that none came.
    wait_seconds: float = Field(180.0, gt=0)
    # Bytes of finished answers kept in memory for clients that come back; older ones are read from Kafka again.
    finished_bytes: int = Field(16 * 1024 * 1024, ge=0)
    # Pages of other hosts that may use the gateway, comma-separated: https://chat.example.org; * for all.
    allowed_origins: str = ""
    page_dir: Path = Path(__file__).parent / "page"

    @property
    def limits(self) -> Limits:
        """What admission goes by."""
        return Limits(self.max_in_flight, self.min_waiting, self.queue_seconds, self.deadline_seconds)

    @property
    def origins(self) -> frozenset[str]:
        """`allowed_origins` as a set."""
        return frozenset(origin.strip().rstrip("/") for origin in self.allowed_origins.split(",") if origin.strip())
