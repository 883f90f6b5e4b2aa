"""`headrace dlq show`: one letter in full."""

import asyncio
import sys
from contextlib import aclosing
from typing import Annotated, Any, Final

import typer
from google.protobuf import json_format
from rich.table import Table
from rich.text import Text

from headrace.cli.dlq import asking, tables
from headrace.cli.dlq.asking import EXIT_STATUS, Json
from headrace.cli.dlq.text import harmless, local
from headrace.cli.output import Exit, fail, out, print_json
from headrace.client.dead_letters.choice import Filter, state_of
from headrace.client.dead_letters.repair import body_of
from headrace.messaging.errors import Fatal, Invalid, Undecodable
from headrace.messaging.letters import Letter
from headrace.v1.dead_letters_pb2 import DeadLetter, DeadLetterDisposition

_EPILOG: Final = f"""{EXIT_STATUS}

Examples:

  headrace dlq show k7mq                         all but the words of users; the beginning of an id is enough

  headrace dlq show k7mq --content               with them

  headrace dlq show k7mq --message > turn.json   to be edited, then: headrace dlq redrive k7mq --edit-from turn.json

  headrace dlq show k7mq --raw > bytes           to be mended, then: headrace dlq redrive k7mq --value bytes
"""


def register(group: typer.Typer) -> None:
    """Add `headrace dlq show`."""
    group.command("show", epilog=_EPILOG)(show)


def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="The letter, or how its id begins.")],
    *,
    content: Annotated[bool, typer.Option("--content", help="With the message itself: users' words.")] = False,
    message: Annotated[bool, typer.Option("--message", help="Only the message, as JSON that can be edited.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Only the bytes as they came: redirect them to a file.")] = False,
    as_json: Json = False,
) -> None:
    """Show what died, of what, where it came from and its headers."""
    if raw + message + as_json > 1:
        fail("--raw, --message and --json exclude each other", Exit.USAGE)
    if raw and sys.stdout.isatty():
        fail("the bytes could command this terminal: redirect them, such as `--raw > bytes`", Exit.USAGE)
    try:
        letter, full, disposition = asyncio.run(_find(asking.broker(), letter_id))
        if raw:
            sys.stdout.buffer.write(full.value)
            sys.stdout.flush()
            return
        if message:
            sys.stdout.write(_message(full) + "\n")
            return
    except Invalid as exc:
        fail(str(exc))
    if as_json:
        described = tables.as_json(letter, disposition) | _headers_and_key(full)
        print_json(described | (_content(full) if content else {}))
        return
    out.print(_facts(letter, full, disposition))
    out.print(_headers(full))
    if content:
        told = _content(full)
        shown = told.get("content_json") or told.get("content_text") or "nothing: it is a tombstone"
        out.print(Text(f"\n{told.get('content_note', '')}".rstrip() + f"\n{harmless(shown)}"), soft_wrap=True)
    else:
        out.print(Text("\n--content shows the message itself", "dim"))


async def _find(bootstrap: str, given: str) -> tuple[Letter, DeadLetter, DeadLetterDisposition | None]:
    from headrace.messaging.letter_log import letters_from

    found = await asking.find(bootstrap, [given], Filter())
    letter = found.letters[0]
    async with aclosing(letters_from(bootstrap, offsets={letter.partition: letter.offset})) as letters:
        async for _, full in letters:
            return letter, full, found.done.get(letter.id)
    raise Fatal(f"{letter.id} was deleted while it was read")


def _facts(letter: Letter, full: DeadLetter, disposition: DeadLetterDisposition | None) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    state = state_of(disposition)
    done = f" on {local(disposition.at.ToMilliseconds())} by {disposition.operator}" if disposition else ""
    for name, value in (
        ("id", letter.id),
        ("state", f"{state}{done}"),
        ("sent to", disposition.topic + (", repaired" if disposition.repaired else "") if disposition else ""),
        ("died", local(letter.dead_ms)),
        ("stage", letter.stage),
        ("error", f"{letter.error}: {letter.message}"),
        ("tries", str(letter.attempts)),
        ("from", f"{letter.origin_topic}, partition {letter.origin_partition}, offset {letter.origin_offset}"),
        ("at", local(letter.origin_ms)),
        ("redriven from", letter.redriven_from),
        ("tenant", letter.tenant),
        ("trace", f"{letter.trace_id}  (headrace trace {letter.trace_id})" if letter.trace_id else ""),
        ("key", "none" if full.keyless else full.key.decode("utf-8", "backslashreplace")),
        ("content", "a tombstone" if full.tombstone else f"{letter.bytes:,} bytes, {_kind(full)}"),
    ):
        if value:
            table.add_row(name, Text(harmless(value)))
    return table


def _headers(full: DeadLetter) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0), title_justify="left")
    table.add_column("header", no_wrap=True)
    table.add_column("value", overflow="fold")
    for header in full.headers:
        table.add_row(Text(harmless(header.key)), Text(harmless(header.value.decode("utf-8", "backslashreplace"))))
    return table


def _kind(full: DeadLetter) -> str:
    try:
        return body_of(full).message(full.origin.topic).DESCRIPTOR.full_name
    except Undecodable as exc:
        return f"not readable: {exc}"


def _message(full: DeadLetter) -> str:
    """The message as JSON that `--edit-from` takes back."""
    try:
        return json_format.MessageToJson(body_of(full).message(full.origin.topic), ensure_ascii=False)
    except Undecodable as exc:
        raise Invalid(f"there is no message in these bytes ({exc}): take them by --raw, and mend them") from exc


def _content(full: DeadLetter) -> dict[str, Any]:
    if full.tombstone:
        return {}
    try:
        return {"content_json": _message(full)}
    except Invalid as exc:
        text = full.value.decode("utf-8", "backslashreplace")
        return {"content_note": str(exc), "content_text": text}


def _headers_and_key(full: DeadLetter) -> dict[str, Any]:
    return {
        "key": None if full.keyless else full.key.decode("utf-8", "backslashreplace"),
        "tombstone": full.tombstone,
        "headers": [
            {"key": header.key, "value": header.value.decode("utf-8", "backslashreplace")} for header in full.headers
        ],
    }
