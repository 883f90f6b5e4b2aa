"""The way that a turn took, from the local span store."""

import asyncio
from collections.abc import Mapping
from typing import Any

from headrace.telemetry.store import read_trace
from headrace.telemetry.waterfall import arrange


class StoredTraces:
    """Reads the span store of this machine."""

    async def waterfall(self, turn_id: str) -> Mapping[str, Any]:
        """Read in a thread: SQLite waits for its file."""
        return arrange(await asyncio.to_thread(read_trace, None, turn_id)).as_json()
