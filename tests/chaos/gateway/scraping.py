"""What a gateway says of itself, and what the system says of it."""

import math
from pathlib import Path

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families


async def histogram(address: str, name: str) -> dict[float, int]:
    """The cumulative buckets of one of its histograms: upper bound to count."""
    async with httpx.AsyncClient(timeout=30) as client:
        text = (await client.get(f"http://{address}/metrics")).text
    buckets: dict[float, int] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"{name}_bucket":
                bound = math.inf if sample.labels["le"] == "+Inf" else float(sample.labels["le"])
                buckets[bound] = int(sample.value)
    return buckets


def between(before: dict[float, int], after: dict[float, int]) -> dict[float, int]:
    """What came between two readings."""
    return {bound: count - before.get(bound, 0) for bound, count in after.items()}


def pid_listening(address: str) -> int:
    """The process that serves there."""
    port = int(address.rpartition(":")[2])
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and getattr(connection.laddr, "port", 0) == port and connection.pid:
            return connection.pid
    raise AssertionError(f"nobody listens at {address}")


def waited_s(pid: int) -> float:
    """How long it was ready to run and had no processor, in all."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9


def stolen_s() -> float:
    """How long processors of this machine had work and were given to another machine of the same host, in all."""
    return float(psutil.cpu_times().steal)


def held_bytes(pid: int) -> int:
    """Its resident memory."""
    return int(psutil.Process(pid).memory_info().rss)
