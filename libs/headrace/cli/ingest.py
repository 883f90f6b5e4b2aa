"""`headrace ingest`: documents become knowledge that answers can cite."""

import asyncio
import os
import sys
from dataclasses import asdict
from typing import Annotated, Final

import typer

from headrace.cli.output import Exit, fail, out, print_json

_BOOTSTRAP: Final = "HEADRACE_KAFKA_BOOTSTRAP"
_EXAMPLES: Final = """Markdown, text, HTML, CSV, PDF and DOCX. What has not changed since then is left alone.

Exit status: 0 done, 1 it went wrong or some documents failed, 2 the command line is wrong,
3 nothing runs that could answer.

Examples:

  headrace ingest docs/                             index a folder, and wait for it

  headrace ingest 'docs/**/*.pdf'                   whatever fits a pattern; ids begin after docs/

  headrace ingest https://example.org/terms.html    a document in the web

  headrace ingest terms.csv --meta kind=glossary    rows are entries: questions that name one are linked to it

  headrace ingest handbook.md notes.txt --no-wait   publish two files and return

  headrace ingest docs/ --collection support        into another collection

  headrace ingest docs/ --delete-missing            docs/ is all that this collection holds

  headrace ingest --delete guide/old.md             forget one document
"""


def register(root: typer.Typer) -> None:
    """Add `headrace ingest`."""
    root.command("ingest", epilog=_EXAMPLES)(ingest)


def ingest(
    paths: Annotated[list[str] | None, typer.Argument(help="Folders, files, patterns and web addresses.")] = None,
    *,
    tenant: Annotated[str, typer.Option(help="Whose knowledge it is.")] = "default",
    collection: Annotated[str, typer.Option(help="Which of the tenant's collections.")] = "default",
    base_uri: Annotated[str, typer.Option(help="Put before a document's id to make the address in citations.")] = "",
    delete: Annotated[list[str] | None, typer.Option(help="Forget this document id; may be repeated.")] = None,
    delete_missing: Annotated[
        bool, typer.Option("--delete-missing", help="Forget every document of the collection that is not given here.")
    ] = False,
    meta: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE said of each document: kind=glossary, aliases=A;B.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Publish what has not changed as well.")] = False,
    wait: Annotated[
        bool | None, typer.Option("--wait/--no-wait", help="Wait until all is indexed. Default: on a terminal.")
    ] = None,
    wait_seconds: Annotated[float, typer.Option(min=1, help="How long to wait without any progress.")] = 120.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Publish documents as knowledge. What has not changed costs nothing; what changed is replaced."""
    bootstrap = os.environ.get(_BOOTSTRAP)
    if not bootstrap:
        fail(f"no broker: start `headrace up` in this directory or set {_BOOTSTRAP}", Exit.NOT_RUNNING)
    if not paths and not delete:
        fail("nothing to do: name a folder, a file, or --delete DOCUMENT_ID", Exit.USAGE)
    if delete_missing and not paths:
        fail("--delete-missing compares with the files that are given: name at least one folder", Exit.USAGE)
    for option, value in (("--tenant", tenant), ("--collection", collection)):
        if not value or "/" in value:
            fail(f"{option} must be a name without slashes", Exit.USAGE)
    metadata = dict(_pair(each) for each in meta or ())
    # The broker's client takes seconds to import, which every other command would pay for.
    from headrace.cli.knowledge.ingestion import Ingestion
    from headrace.cli.knowledge.shelf import Shelf

    waits = sys.stdout.isatty() if wait is None else wait
    job = Ingestion(
        bootstrap, Shelf(tenant, collection, base_uri, metadata), wait_seconds if waits else None, force=force
    )
    report = asyncio.run(job.run(paths or (), delete or (), delete_missing=delete_missing))
    if as_json:
        print_json(asdict(report))
    else:
        state = {None: "", True: ", all of it indexed", False: ", [yellow]not yet indexed[/]"}[report.indexed]
        out.print(
            f"{len(report.published)} published, {len(report.unchanged)} unchanged, {len(report.deleted)} deleted, "
            f"{len(report.failed)} failed{state}"
        )
    if report.failed or report.indexed is False:
        raise typer.Exit(Exit.FAILED)


def _pair(given: str) -> tuple[str, str]:
    name, separator, value = given.partition("=")
    if not separator or not name.strip():
        fail(f"--meta {given!r} is no KEY=VALUE", Exit.USAGE)
    return name.strip(), value.strip()
