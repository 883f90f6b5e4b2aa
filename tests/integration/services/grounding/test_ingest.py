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
from headrace.messaging import topics
from headrace.messaging.contract import Outgoing
from headrace.messaging.kafka import KafkaPublisher, KafkaTransport
from headrace.models.fetch import prepare
from headrace.models.registry import load_registry
from headrace.runtime.host import Host
from headrace.runtime.paths import infra_dir
from headrace.v1.knowledge_pb2 import KnowledgeDocument
from services.grounding.adapters.edge import EdgePoints
from services.grounding.adapters.embeddings import ModelEmbeddings
from services.grounding.adapters.knowledge import PointKnowledge
from services.grounding.adapters.points import DENSE
from services.grounding.app import build_app
from services.grounding.domain.citing import citable
from services.grounding.domain.context import Passage
from services.grounding.domain.documents import Corpus
from services.grounding.domain.question import asked
from services.grounding.domain.ranking import Weights, rank
from services.grounding.ports import Probe
from services.grounding.settings import Settings
from tests.bench.grounding.handbook import ANSWERED, UNANSWERED
from tests.fakes.papers import docx, pdf, zip_bomb

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@dataclass
class Grounding:
    """The service at work, and a way to ask its index."""

    bootstrap: str
    tenant: str
    embeddings: ModelEmbeddings
    knowledge: PointKnowledge

    async def ask(self, question: str, limit: int = 3, min_score: float = -1.0) -> list[Passage]:
        ask = asked(question)
        probe = Probe(await self.embeddings.question(ask.windows), ask.words)
        found = await self.knowledge.candidates(Corpus(self.tenant, "default"), probe, Weights())
        return citable(rank(found, Weights()), ask.stems, min_score=min_score, limit=limit)

    async def ingest(self, *paths: Path, delete: tuple[str, ...] = (), delete_missing: bool = False) -> Report:
        ingestion = Ingestion(self.bootstrap, Shelf(self.tenant, "default"), wait_seconds=60)
        report = await ingestion.run([str(path) for path in paths], delete, delete_missing=delete_missing)
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
    knowledge = PointKnowledge(EdgePoints(tmp_path / "index", dimensions=lambda: {DENSE: embeddings.dimensions}))
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
        passages = await grounding.ask(question, min_score=Settings().min_score)
        if document not in {passage.document_id for passage in passages}:
            missed.append(question)
        for passage in passages:
            original = (infra_dir() / "knowledge" / passage.document_id).read_text("utf-8")
            assert original[passage.start : passage.end] == passage.text
    assert not missed
    for question in UNANSWERED:
        assert not await grounding.ask(question, min_score=Settings().min_score), question


async def test_a_folder_can_change_shrink_and_vanish(grounding: Grounding, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    (folder / "guide").mkdir(parents=True)
    (folder / "guide" / "sluice.md").write_text("# Sluice\n\nThe sluice opens at dawn.\n", "utf-8")
    (folder / "weir.txt").write_text("The weir is three metres high.", "utf-8")
    assert (await grounding.ingest(folder)).published == ["guide/sluice.md", "weir.txt"]
    assert (await grounding.ask("When does the sluice open?", 1))[0].text == "The sluice opens at dawn."

    (folder / "guide" / "sluice.md").write_text("# Sluice\n\nThe sluice opens at noon.\n", "utf-8")
    again = await grounding.ingest(folder)
    assert (again.published, again.unchanged) == (["guide/sluice.md"], ["weir.txt"])
    assert {passage.text for passage in await grounding.ask("sluice", 9)} == {
        "The sluice opens at noon.",
        "The weir is three metres high.",
    }

    (folder / "weir.txt").unlink()
    assert (await grounding.ingest(folder, delete_missing=True)).deleted == ["weir.txt"]
    assert [passage.document_id for passage in await grounding.ask("weir", 9)] == ["guide/sluice.md"]

    gone = await grounding.ingest(delete=("guide/sluice.md", "guide/lock.md"))
    assert gone.deleted == ["guide/sluice.md"]
    assert gone.failed == [{"path": "guide/lock.md", "reason": "collection default has no such document to delete"}]
    assert await grounding.ask("sluice", 9) == []


async def test_files_that_are_no_documents_are_named_and_the_rest_is_indexed(
    grounding: Grounding, tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "good.md").write_text("Turbines hum.", "utf-8")
    (tmp_path / "docs" / "empty.md").write_text(" \n", "utf-8")
    (tmp_path / "docs" / "latin.txt").write_bytes("Häuser".encode("latin-1"))
    (tmp_path / "docs" / "large.txt").write_text("x" * 1_000_001, "utf-8")
    (tmp_path / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    (tmp_path / "docs" / "bomb.docx").write_bytes(zip_bomb(200_000_000))
    report = await grounding.command(str(tmp_path / "docs"), str(tmp_path / "nowhere"), status=1)
    assert report["published"] == ["good.md"]
    reasons = {Path(failure["path"]).name: failure["reason"] for failure in report["failed"]}
    assert reasons["empty.md"] == "empty"
    assert "byte 1" in reasons["latin.txt"]
    assert "the limit is 1000000" in reasons["large.txt"]
    assert "no such file" in reasons["nowhere"].lower()
    assert "damaged" in reasons["broken.pdf"]
    assert "unpacks to" in reasons["bomb.docx"]
    assert (await grounding.ingest(tmp_path / "nowhere", delete_missing=True)).deleted == []
    assert [passage.text for passage in await grounding.ask("turbines", 9)] == ["Turbines hum."]


async def test_documents_of_every_format_can_be_found(grounding: Grounding, tmp_path: Path) -> None:
    (tmp_path / "weir.pdf").write_bytes(pdf([("Weirs", 20), ("The weir was built in 1911.", 10)]))
    (tmp_path / "keeper.docx").write_bytes(docx(Duties="The keeper greases the gates in March."))
    (tmp_path / "turbine.html").write_text("<main><h1>Turbines</h1><p>A turbine spins at 300 rpm.</p></main>", "utf-8")
    (tmp_path / "fees.csv").write_text("name;fee\nmooring;12 euro\nfishing;5 euro\n", "utf-8")
    report = await grounding.command(f"{tmp_path}/*", status=0)
    assert report["published"] == ["fees.csv", "keeper.docx", "turbine.html", "weir.pdf"]
    for question, document, said in (
        ("When was the weir built?", "weir.pdf", "1911"),
        ("Who greases the gates?", "keeper.docx", "March"),
        ("How fast does a turbine spin?", "turbine.html", "300"),
        ("What is the fee for mooring?", "fees.csv", "12 euro"),
    ):
        (best,) = await grounding.ask(question, 1)
        assert best.document_id == document
        assert said in best.text


async def test_what_another_producer_sends_as_it_was_saved_is_read_by_the_service(
    grounding: Grounding, kafka: str
) -> None:
    key = f"{grounding.tenant}/default/"
    good = KnowledgeDocument(
        document_id="weir.pdf", tenant=grounding.tenant, collection="default", content_type="application/pdf",
        data=pdf([("Weirs", 20), ("The weir was built in 1911.", 10)]),
    )  # fmt: skip
    bad = KnowledgeDocument(
        document_id="bad.pdf", tenant=grounding.tenant, collection="default", content_type="application/pdf",
        data=b"%PDF-1.7 and no more",
    )  # fmt: skip
    async with KafkaPublisher(kafka, "another-team") as publisher:
        for message in (bad, good):
            await publisher.publish(
                Outgoing(topics.KNOWLEDGE, key + message.document_id, message, tenant=grounding.tenant)
            )
    report = await grounding.ingest(delete=("nothing.md",))
    assert [passage.text for passage in await grounding.ask("weir", 9)] == ["The weir was built in 1911."]
    assert report.indexed


async def test_a_document_that_the_service_refuses_is_reported_with_its_reason(
    grounding: Grounding, tmp_path: Path
) -> None:
    deep = tmp_path / "docs" / "/".join(["d" * 100] * 6)[1:]
    deep.mkdir(parents=True)
    (deep / "x.md").write_text("text", "utf-8")
    report = await grounding.ingest(tmp_path / "docs")
    (failure,) = report.failed
    assert "the limit is 512" in failure["reason"]
