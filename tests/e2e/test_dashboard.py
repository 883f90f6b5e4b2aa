"""A real Prometheus reads the running services by the rules that are shipped: what the dashboard shows has figures."""

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

from headrace.client import Client, Sampling
from headrace.embedded.ports import free_port
from tests.e2e.stack import ROOT, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

WAIT_S = 90.0
# What a question that is answered twice, and rated, must have moved. Lag is asked by the collector, which is not here.
MOVED = [
    "headrace:availability:ratio5m",
    "headrace:turn_seconds:p95_5m",
    "headrace:time_to_first_token_seconds:p95_5m",
    "headrace:tokens_per_second:rate5m",
    "headrace:refused:ratio5m",
    "headrace:cache_hit:ratio5m",
    "headrace:feedback:worth1d",
]
# Of parts that are not among the embedded ones, or of what has gone wrong.
QUIET = {"Behind", "Lag", "Dead letters", "Tries after the first", "Refused and sent away", "Breakers and services",
         "Model time that nobody had anything of"}  # fmt: skip


def prometheus() -> str:
    found = shutil.which("prometheus")
    if not found and os.environ.get("CI"):
        pytest.fail("no prometheus: install Debian's package of that name")
    return found or pytest.skip("no prometheus found: install the package of that name")


class Scraper:
    """A Prometheus over this stack."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/query"

    def value(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression finds now."""
        with urlopen(f"{self._url}?{urlencode({'query': expression})}", timeout=10) as answer:  # noqa: S310 - loopback
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return found


@contextmanager
def scraping(stack: Stack, folder: Path) -> Iterator[Scraper]:
    """The shipped configuration, with this stack's addresses, and a second between two looks."""
    config = yaml.safe_load((ROOT / "infra/prometheus/prometheus.yaml").read_text(encoding="utf-8"))
    shutil.copytree(ROOT / "infra/prometheus/rules", folder / "rules")
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"] = [job for job in config["scrape_configs"] if job["job_name"] == "headrace"]
    for group in config["scrape_configs"][0]["static_configs"]:
        address = stack.part(group["labels"]["service"])["address"]
        group["targets"] = [address.removeprefix("http://")]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    port = free_port()
    command = [prometheus(), f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}",
               f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
    with (folder / "prometheus.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield Scraper(port)
        finally:
            process.terminate()


def test_every_indicator_has_figures_and_so_has_the_dashboard(stack: Stack, tmp_path: Path) -> None:
    """INVARIANT: the names in rules and panels are those that the services really expose, with their labels."""
    give_up = time.monotonic() + WAIT_S
    with scraping(stack, tmp_path) as scraper, Client(stack.url) as client:
        missing = {**{name: [name] for name in MOVED}, **shown()}
        # Again and again: a rate is of what moves between two looks.
        while missing:
            assert time.monotonic() < give_up, f"after {WAIT_S:g} s without figures: {list(missing)}"
            sampling = Sampling(max_tokens=16, seed=uuid.uuid4().int % 2**31)
            turns = [client.ask("Say hello.", sampling=sampling).turn_id for _ in range(2)]
            client.feedback(turns[0], 1)
            missing = {name: asked for name, asked in missing.items() if not any(_has(scraper, each) for each in asked)}
        (available,) = scraper.value("headrace:availability:ratio5m")
        assert 0 < float(available["value"][1]) <= 1
        assert [each["metric"]["service"] for each in scraper.value('up{job="headrace"} == 0')] == []


def shown() -> dict[str, list[str]]:
    """What each panel asks for that has figures where all goes well."""
    dashboard = json.loads((ROOT / "infra/grafana/dashboards/headrace.json").read_text(encoding="utf-8"))
    return {
        f"panel {panel['title']!r}": [target["expr"].replace("$__rate_interval", "1m") for target in panel["targets"]]
        for panel in dashboard["panels"]
        if panel.get("targets") and panel["title"] not in QUIET
    }


def _has(scraper: Scraper, expression: str) -> bool:
    try:
        return any(each["value"][1] != "NaN" for each in scraper.value(expression))
    except OSError:
        # It is starting.
        return False
