import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from headrace.embedded.process import session
from headrace.embedded.ray_head import EmbeddedRay
from tests.fakes.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.slow]

DRIVER = """
import ray, sys
ray.init(address=sys.argv[1], log_to_driver=False)
print(ray.get(ray.remote(lambda: 42).remote()))
"""


@pytest.fixture
async def head(tmp_path: Path) -> AsyncIterator[EmbeddedRay]:
    head = EmbeddedRay(log=tmp_path / "ray.log")
    await head.start()
    yield head
    await head.stop()


def _drive(address: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", DRIVER, address]
    told = {**os.environ, **environment}
    return subprocess.run(command, env=told, capture_output=True, text=True, timeout=120, check=False)


async def test_only_who_holds_the_token_runs_work_and_stop_leaves_nothing(head: EmbeddedRay) -> None:
    assert head.process is not None
    leader = head.process.pid
    assert leader is not None
    assert len(session(leader)) > 1

    done = _drive(head.address, head.environment)
    assert done.stdout.strip() == "42", done.stderr
    refused = _drive(head.address, {**head.environment, "RAY_AUTH_TOKEN": "0" * 32})
    assert refused.returncode != 0
    assert "42" not in refused.stdout

    await head.stop()

    await until("the end of every process of Ray", lambda: not session(leader))
