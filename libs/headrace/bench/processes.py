"""Memory and processor time of the parts of a stack, each with all that it started."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Footprint:
    """One part at rest: `rss_bytes` counts pages that its processes share once per process."""

    part: str
    processes: int
    rss_bytes: int
    # Of one core.
    cpu_percent: float


def footprints(pids: Mapping[str, int], seconds: float) -> list[Footprint]:
    """Watch each part's tree of processes for a while; a part that is gone has no processes."""
    trees = {part: _tree(pid, stop_at=set(pids.values()) - {pid}) for part, pid in pids.items()}
    before = {part: _cpu_seconds(tree) for part, tree in trees.items()}
    began = time.monotonic()
    time.sleep(seconds)
    lasted = time.monotonic() - began
    return [
        Footprint(
            part=part,
            processes=len(tree),
            rss_bytes=sum(_rss(process) for process in tree),
            cpu_percent=max(0.0, (_cpu_seconds(tree) - before[part]) / lasted * 100),
        )
        for part, tree in trees.items()
    ]


def _tree(pid: int, stop_at: Iterable[int]) -> Sequence[psutil.Process]:
    """A process and its descendants, without the trees of other parts: they are the supervisor's children too."""
    try:
        root = psutil.Process(pid)
        children = root.children()
    except psutil.NoSuchProcess:
        return []
    found = [root]
    for child in children:
        if child.pid not in stop_at:
            found.extend(_tree(child.pid, stop_at))
    return found


def _cpu_seconds(tree: Iterable[psutil.Process]) -> float:
    total = 0.0
    for process in tree:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
