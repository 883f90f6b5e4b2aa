"""`headrace eval cache`: hits, wrong hits, and the time that the response cache saves."""

import asyncio
from typing import Annotated, Any, Final

import typer

from headrace.bench.figures import machine, markdown
from headrace.cli.dlq.progress import bar
from headrace.cli.output import Exit, fail, print_json
from headrace.embedded import state
from headrace.messaging.errors import HeadraceError
from headrace.runtime.paths import data_dir

EPILOG: Final = """Public prompts (the harmless ones of S-Labs' test set, pinned) are asked of the stack that runs here,
some often and most seldom: once so that none can come from the cache, once as people ask. Then each is asked with a
small change of its words, its length or its stop, which deserves an answer of its own, and a new one by eight at once.

`wrong hits` came from the cache without having been asked before, or in other words than the first time.

Exit status: 0 no wrong hit, 1 a wrong hit or it went wrong, 3 nothing runs that could answer.

Examples:

  headrace eval cache

  headrace eval cache --prompts 20 --asks 60 --json
"""


def eval_cache(
    *,
    prompts: Annotated[int, typer.Option(min=1, max=500, help="Different prompts.")] = 30,
    asks: Annotated[int, typer.Option(min=1, help="Questions, some of them the same.")] = 90,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures as JSON.")] = False,
) -> None:
    """Measure the response cache of the stack that runs here."""
    found = state.read()
    if found is None or not found["url"]:
        fail(f"nothing runs in {data_dir()}: start it with `headrace up`, or set HEADRACE_DATA_DIR", Exit.NOT_RUNNING)
    try:
        rounds = asyncio.run(_measure(found["url"], prompts, asks))
    except HeadraceError as exc:
        fail(str(exc))
    if as_json:
        print_json({"machine": machine(), "rounds": rounds})
    else:
        typer.echo(f"{machine()}; {prompts} prompts\n\n{_table(rounds)}")
    if any(each["wrong_hits"] for each in rounds):
        raise typer.Exit(Exit.FAILED)


async def _measure(url: str, prompts: int, asks: int) -> list[dict[str, Any]]:
    from headrace.bench.caching import Evaluation
    from headrace.bench.prompts import public_prompts
    from headrace.client.asynchronous import AsyncClient

    client, texts = AsyncClient(url), public_prompts(prompts)
    # What is loaded with the first question is loaded, and its time is nobody's.
    await client.ask("Hello.")
    evaluation = Evaluation(client, texts, asks)
    with bar("asking", evaluation.total) as advance:
        evaluation.advance = advance
        return [each.as_json() async for each in evaluation.rounds()]


def _table(rounds: list[dict[str, Any]]) -> str:
    headings = (
        "", "asked", "asked before", "hits", "wrong hits", "first token p50 ms", "done p50 ms", "of hits", "all s"
    )  # fmt: skip
    return markdown(headings, [_row(each) for each in rounds])


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    of_hits = each["done_hit_p50_ms"]
    return (
        each["round"],
        str(each["asked"]),
        str(each["repeated"]),
        str(each["hits"]),
        f"{each['wrong_hits']} (at most {each['wrong_at_most']:.1%})",
        f"{each['first_token_p50_ms']:.0f}",
        f"{each['done_p50_ms']:.0f}",
        "" if of_hits is None else f"{of_hits:.0f}",
        f"{each['seconds']:.1f}",
    )
