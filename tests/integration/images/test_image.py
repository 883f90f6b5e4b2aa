"""An image's steps in a folder in place of a root: what is installed and copied is enough to run, ready and drain."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headrace.embedded.ports import free_port
from tests.architecture.tree import compose

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[3]
# Those that fetch no model; what differs between the others is the extra, which `tests/architecture` holds against
# their imports, but not against what an import needs that nobody names.
SERVICES = ["feedback", "gateway", "postprocessing"]
READY_S = 60.0


class Image:
    """Stages of the Dockerfile, carried out below a folder."""

    def __init__(self, root: Path, service: str) -> None:
        self.root = root
        self.service = service
        text = (ROOT / "infra/docker/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
        self._stages = {
            stage.splitlines()[0].rpartition(" AS ")[2]: stage.splitlines()[1:]
            for stage in re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
        }
        self.environment = {"SERVICE": service}

    def arguments(self, stage: str, instruction: str) -> list[str]:
        """What follows an instruction, line by line."""
        lines = (re.sub(r"^--\S+\s+", "", line.partition(" ")[2].strip()) for line in self._stages[stage]
                 if line.startswith(f"{instruction} "))  # fmt: skip
        return [line.replace("${SERVICE}", self.service) for line in lines]

    def copy(self, stage: str, workdir: str) -> None:
        """COPY from the checkout; what comes from another stage is there."""
        for line in self._stages[stage]:
            if line.startswith("COPY ") and "--from=" not in line:
                source, target = line.replace("${SERVICE}", self.service).split()[1:]
                into = self.root / workdir.lstrip("/") / target
                into = into / Path(source).name if target.endswith("/") else into
                into.parent.mkdir(parents=True, exist_ok=True)
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, into, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / source, into)

    def env(self, stage: str) -> None:
        """ENV, its absolute paths below our root."""
        for line in self.arguments(stage, "ENV"):
            for pair in shlex.split(line):
                name, _, value = pair.partition("=")
                value = re.sub(r"\$\{?(\w+)\}?", lambda found: self.environment.get(found[1], ""), value)
                self.environment[name] = re.sub(r"(^|:)/", rf"\1{self.root}/", value)


def run(*command: str, folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


# What the registries of this machine are stays in the environment; nothing of this checkout's own does.
OUTSIDE = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}


@pytest.fixture(scope="module")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with uv, at its pinned version, as the first step of every image installs it."""
    folder = tmp_path_factory.mktemp("uv")
    run(sys.executable, "-m", "venv", str(folder), folder=ROOT, environment=OUTSIDE)
    pins = ("--require-hashes", "--requirement", "infra/locks/bootstrap.txt")
    run(str(folder / "bin/pip"), "install", "--quiet", *pins, folder=ROOT, environment=OUTSIDE)
    return folder / "bin"


def installed(image: Image, uv: Path, extras: str) -> dict[str, str]:
    """The stages `build` and `runtime`; what a process in the image finds in its environment."""
    image.copy("build", "/build")
    venv = image.root / "opt/headrace"
    run(sys.executable, "-m", "venv", str(venv), folder=image.root, environment=OUTSIDE)
    with_uv = {**OUTSIDE, "PATH": f"{uv}:{OUTSIDE['PATH']}"}
    run("sh", "install.sh", extras, str(venv / "bin/python"), folder=image.root / "build", environment=with_uv)
    image.copy("runtime", "/app")
    image.env("runtime")
    return {**image.environment, "PATH": f"{venv / 'bin'}:/usr/bin:/bin"}


def test_the_steps_of_the_command_lines_image_make_one_that_creates_topics(
    kafka: str, uv: Path, tmp_path: Path
) -> None:
    image = Image(tmp_path, "")
    container = compose()["services"]["topics"]
    environment = installed(image, uv, container["build"]["args"]["SERVICE"])
    (entrypoint,) = (json.loads(line) for line in image.arguments("cli", "ENTRYPOINT"))
    addresses = {"HEADRACE_KAFKA_BOOTSTRAP": kafka}
    run(*entrypoint, *container["command"], folder=tmp_path / "app", environment={**environment, **addresses})
    for command in ("classify", "dlq", "cache", "feedback", "ingest"):
        run(*entrypoint, command, "--help", folder=tmp_path / "app", environment=environment)


@pytest.mark.parametrize("service", SERVICES)
def test_the_steps_of_an_image_make_a_service_that_runs(
    kafka: str, valkey: str, uv: Path, tmp_path: Path, service: str
) -> None:
    image = Image(tmp_path, service)
    environment = installed(image, uv, service)
    image.copy("service", "/app")
    image.env("service")
    ports = dict.fromkeys(("HEADRACE_OPS_PORT", "HEALTH_PORT", "HEADRACE_GATEWAY_PORT"), str(free_port()))
    addresses = {"HEADRACE_KAFKA_BOOTSTRAP": kafka, "HEADRACE_REDIS_URL": valkey}
    environment |= {**image.environment, **ports, **addresses, "PATH": environment["PATH"]}
    (command,) = (json.loads(line) for line in image.arguments("service", "CMD"))
    health = json.loads(image.arguments("service", "HEALTHCHECK")[0].partition("CMD ")[2])
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(
        command, cwd=tmp_path / "app", env=environment, stdout=log, stderr=log
    ) as process:  # fmt: skip
        try:
            give_up = time.monotonic() + READY_S
            while subprocess.run(health, env=environment, capture_output=True, check=False).returncode:
                assert process.poll() is None, (tmp_path / "log").read_text(encoding="utf-8")[-2000:]
                assert time.monotonic() < give_up, f"not ready within {READY_S:g} s"
                time.sleep(0.2)
            process.terminate()
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
