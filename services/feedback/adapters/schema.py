"""The tables. Epoch milliseconds throughout, so that SQLite and PostgreSQL agree."""

from typing import Final

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

metadata: Final = MetaData()


def position() -> "Column[int]":
    """Where the record that a row is from stands in the log; -1 in rows from before this was kept."""
    return Column("position", BigInteger, nullable=False, server_default="-1")


turns: Final = Table(
    "turns",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("turn_id", String, primary_key=True),
    Column("conversation_id", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("arm", String, nullable=False),
    Column("status", String, nullable=False),
    Column("pipeline", String, nullable=False),
    Column("template", String, nullable=False),
    Column("model", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("policy", String, nullable=False),
    Column("corpus", String, nullable=False),
    Column("finish_reason", String, nullable=False),
    Column("cached", Boolean, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("trace_id", String, nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("documents", JSON, nullable=False),
    Column("completed_at_ms", BigInteger, nullable=False, index=True),
    position(),
    # Erasure asks by subject.
    Index("turns_by_subject", "tenant", "subject"),
)

# No foreign key: feedback may come before its turn is written.
feedback: Final = Table(
    "feedback",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("feedback_id", String, primary_key=True),
    Column("turn_id", String, nullable=False),
    Column("user", String, nullable=False),
    Column("scale", String, nullable=False),
    Column("rating", Integer, nullable=False),
    Column("worth", Float, nullable=True),
    Column("comment", Text, nullable=False),
    Column("correction", Text, nullable=False),
    Column("consent_to_train", Boolean, nullable=False),
    Column("submitted_at_ms", BigInteger, nullable=False, index=True),
    # By commas: a closed list of words.
    Column("reasons", String, nullable=False, server_default=""),
    position(),
    Index("feedback_by_turn", "tenant", "turn_id"),
)
