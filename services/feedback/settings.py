"""What feedback reads from the environment."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from headrace.runtime.paths import data_dir
from headrace.runtime.settings import ServiceSettings
from services.feedback.domain.feedback import Limits


class Settings(ServiceSettings):
    """Where feedback is kept, for how long, and how much of it a message may carry."""

    model_config = SettingsConfigDict(
        env_prefix="HEADRACE_FEEDBACK_", frozen=True, extra="ignore", populate_by_name=True
    )

    # SQLite in the data directory unless set; PostgreSQL is `postgresql://user:password@host/database`.
    database_url: SecretStr | None = None
    retention_days: float = Field(90.0, gt=0)
    max_comment_characters: int = Field(4_000, ge=1)
    max_correction_characters: int = Field(32_000, ge=1)
    # What masks personal data in an export: a program and its arguments, as JSON. Without one nothing is exported.
    scrub_command: tuple[str, ...] = ()

    def url(self) -> str:
        """The database's URL."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{data_dir() / 'feedback' / 'feedback.sqlite'}"

    def limits(self) -> Limits:
        """The limits as the domain takes them."""
        return Limits(
            max_comment_characters=self.max_comment_characters,
            max_correction_characters=self.max_correction_characters,
        )
