"""How much memory a process and its children hold, read from the kernel."""

from pathlib import Path


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and all below it; pages that they share are counted for each."""
    try:
        fields = dict(
            line.split(":", 1)
            for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
        )
        own = int(fields.get("VmRSS", "0 kB").split()[0]) * 1024
        threads = Path(f"/proc/{pid}/task").glob("*/children")
        return own + sum(
            resident_bytes(int(child)) for thread in threads for child in thread.read_text(encoding="ascii").split()
        )
    except (OSError, ValueError):
        # It ended while we looked.
        return 0
