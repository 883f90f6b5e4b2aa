"""The one who feeds knowledge, and whoever asks about it, on the whole stack."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stack import Stack
from tests.fakes.papers import docx, pdf

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


async def frames(stack: Stack, question: str) -> list[dict[str, Any]]:
    async with stack.socket() as socket:
        turn = await socket.ask(question, model="mock")
        return await asyncio.wait_for(socket.until_end(turn), 60)


async def ingest(stack: Stack, *arguments: str, status: int = 0) -> dict[str, Any]:
    done = await asyncio.to_thread(stack.run, "ingest", *arguments, "--wait", "--json")
    assert done.returncode == status, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


async def test_a_folder_of_papers_answers_with_citations_and_is_read_once(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "weir.pdf").write_bytes(pdf([("Zugspitz weir", 20), ("The Zugspitz weir was built in 1911.", 10)]))
    (tmp_path / "keeper.docx").write_bytes(docx(Duties="The keeper greases the Zugspitz gates in March."))
    (tmp_path / "glossary.csv").write_text("term;aliases;definition\nsilt trap;ZST;A basin for sediment.\n", "utf-8")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    report = await ingest(stack, str(tmp_path), str(tmp_path / "nowhere"), status=1)
    assert report["published"] == ["glossary.csv", "keeper.docx", "weir.pdf"]
    reasons = {Path(failure["path"]).name: failure["reason"] for failure in report["failed"]}
    assert "damaged" in reasons["broken.pdf"]
    assert "check the path" in reasons["nowhere"]
    again = await ingest(stack, str(tmp_path), status=1)
    assert (again["published"], again["unchanged"]) == ([], report["published"])

    for question, document in (
        ("When was the Zugspitz weir built?", "weir.pdf"),
        ("Who greases the Zugspitz gates?", "keeper.docx"),
        ("What does a ZST hold?", "glossary.csv"),
    ):
        (cited,) = [each["items"] for each in await frames(stack, question) if each["type"] == "citations"]
        assert cited[0]["document_id"] == document, question


async def test_what_no_document_covers_is_said(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "fees.md").write_text("# Fees\n\nMooring costs 12 euro a night.\n", "utf-8")
    await ingest(stack, str(tmp_path))
    said = await frames(stack, "Who won the chess championship of 1972?")
    assert [each["code"] for each in said if each["type"] == "notice"] == ["not_in_sources"]
    assert not [each for each in said if each["type"] == "citations"]
    assert not [each for each in await frames(stack, "What does mooring cost?") if each["type"] == "notice"]
