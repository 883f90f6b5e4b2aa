"""`headrace ingest` on a real broker, with grounding at work: what a folder says can be found, cited and forgotten."""

import asyncio
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from headrace.cli.knowledge.ingestion import Ingestion, Report
from headrace.cli.knowledge.shelf import Shelf
from headrace.messaging.kafka import KafkaTransport
from headrace.models.fetch import prepare
from headrace.models.registry import load_registry
from headrace.runtime.host import Host
from headrace.runtime.paths import infra_dir
from services.grounding.adapters.edge import EdgePoints
from services.grounding.adapters.embeddings import ModelEmbeddings
from services.grounding.adapters.knowledge import PointKnowledge
from services.grounding.app import build_app
from services.grounding.domain.context import Passage
from services.grounding.domain.documents import Corpus
from services.grounding.settings import Settings
from tests.bench.grounding.handbook import ANSWERED, UNANSWERED

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@dataclass
class Grounding:
    """The service at work, and a way to ask its index."""

    bootstrap: str
    tenant: str
    embeddings: ModelEmbeddings
    knowledge: PointKnowledge

    async def ask(self, question: str, limit: int = 3) -> list[Passage]:
        vector = await self.embeddings.question(question)
        return await self.knowledge.search(Corpus(self.tenant, "default"), vector, limit)

    async def ingest(self, *paths: Path, delete: tuple[str, ...] = (), delete_missing: bool = False) -> Report:
        ingestion = Ingestion(self.bootstrap, Shelf(self.tenant, "default"), wait_seconds=60)
        report = await ingestion.run(paths, delete, delete_missing=delete_missing)
        assert report.indexed
        return report

    async def command(self, *arguments: str, status: int) -> dict[str, Any]:
        """As a person types it."""
        command = ("ingest", *arguments, "--tenant", self.tenant, "--wait", "--json")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "headrace.cli.main", *command,
            env=os.environ | {"HEADRACE_KAFKA_BOOTSTRAP": self.bootstrap, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        assert process.returncode == status, err.decode()
        report: dict[str, Any] = json.loads(out)
        return report


@pytest.fixture
async def grounding(kafka: str, valkey: str, tmp_path: Path) -> AsyncIterator[Grounding]:
    spec = load_registry(infra_dir() / "models").get("all-minilm-l6-v2")
    await asyncio.to_thread(prepare, spec)
    embeddings = ModelEmbeddings(spec, threads=2)
    knowledge = PointKnowledge(EdgePoints(tmp_path / "index", dimensions=lambda: embeddings.dimensions))
    # A static member keeps its place when it stops: another name would have to wait for it to expire.
    settings = Settings(kafka_bootstrap=kafka, redis_url=valkey, instance="ingest-tests")
    app = build_app(settings, embeddings=embeddings, knowledge=knowledge)
    async with Host(app, KafkaTransport(kafka, client_id="test", instance=settings.instance)):
        yield Grounding(kafka, f"tenant-{uuid.uuid4().hex}", embeddings, knowledge)


async def test_the_handbook_answers_questions_about_itself(grounding: Grounding) -> None:
    report = await grounding.command(str(infra_dir() / "knowledge"), status=0)
    assert report["indexed"] is True
    assert len(report["published"]) == len(set(ANSWERED.values()) | set(report["published"])) >= 8
    missed = []
    for question, document in ANSWERED.items():
        passages = await grounding.ask(question)
        assert passages[0].score > Settings().min_score, question
        if document not in {passage.document_id for passage in passages}:
            missed.append(question)
        for passage in passages:
            original = (infra_dir() / "knowledge" / passage.document_id).read_text("utf-8")
            assert original[passage.start : passage.end] == passage.text
    assert not missed
    for question in UNANSWERED:
        (best,) = await grounding.ask(question, 1)
        assert best.score < Settings().min_score, question


async def test_a_folder_can_change_shrink_and_vanish(grounding: Grounding, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    (folder / "guide").mkdir(parents=True)
    (folder / "guide" / "sluice.md").write_text("# Sluice\n\nThe sluice opens at dawn.\n", "utf-8")
    (folder / "weir.txt").write_text("The weir is three metres high.", "utf-8")
    assert (await grounding.ingest(folder)).published == ["weir.txt", "guide/sluice.md"]
    assert (await grounding.ask("When does the sluice open?", 1))[0].text == "The sluice opens at dawn."

    (folder / "guide" / "sluice.md").write_text("# Sluice\n\nThe sluice opens at noon.\n", "utf-8")
    await grounding.ingest(folder)
    assert {passage.text for passage in await grounding.ask("sluice", 9)} == {
        "The sluice opens at noon.",
        "The weir is three metres high.",
    }

    (folder / "weir.txt").unlink()
    assert (await grounding.ingest(folder, delete_missing=True)).deleted == ["weir.txt"]
    assert [passage.document_id for passage in await grounding.ask("weir", 9)] == ["guide/sluice.md"]

    await grounding.ingest(delete=("guide/sluice.md",))
    assert await grounding.ask("sluice", 9) == []


async def test_files_that_are_no_documents_are_named_and_the_rest_is_indexed(
    grounding: Grounding, tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "good.md").write_text("Turbines hum.", "utf-8")
    (tmp_path / "docs" / "empty.md").write_text(" \n", "utf-8")
    (tmp_path / "docs" / "latin.txt").write_bytes("Häuser".encode("latin-1"))
    (tmp_path / "docs" / "large.txt").write_text("x" * 1_000_001, "utf-8")
    report = await grounding.command(str(tmp_path / "docs"), str(tmp_path / "nowhere"), status=1)
    assert report["published"] == ["good.md"]
    reasons = {Path(failure["path"]).name: failure["reason"] for failure in report["failed"]}
    assert reasons["empty.md"] == "empty"
    assert "byte 1" in reasons["latin.txt"]
    assert "the limit is 1000000" in reasons["large.txt"]
    assert "no such file" in reasons["nowhere"].lower()
    assert (await grounding.ingest(tmp_path / "nowhere", delete_missing=True)).deleted == []
    assert [passage.text for passage in await grounding.ask("turbines", 9)] == ["Turbines hum."]


async def test_a_document_that_the_service_refuses_is_reported_with_its_reason(
    grounding: Grounding, tmp_path: Path
) -> None:
    deep = tmp_path / "docs" / "/".join(["d" * 100] * 6)[1:]
    deep.mkdir(parents=True)
    (deep / "x.md").write_text("text", "utf-8")
    report = await grounding.ingest(tmp_path / "docs")
    (failure,) = report.failed
    assert "the limit is 512" in failure["reason"]
