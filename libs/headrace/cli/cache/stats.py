"""`headrace cache stats`: how many answers are kept, how large they are, how often they are given again."""

from dataclasses import asdict
from typing import Final

from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from headrace.cli.cache.asking import EXIT_STATUS, Json, Model, Tenant, with_answers
from headrace.cli.output import err, out, print_json
from headrace.stores.answers import CachedAnswers, Group

EPILOG: Final = f"""`hits` were served from the cache, `joined` waited for the same answer in the making, `misses` were
generated. The counters of a tenant and model last for 30 days after its last question; turns that may not be cached are
in none. Answers are kept for a day (HEADRACE_INFERENCE_CACHE_SECONDS).

{EXIT_STATUS}

Examples:

  headrace cache stats

  headrace cache stats --tenant acme --json
"""


def stats(*, tenant: Tenant = None, model: Model = None, as_json: Json = False) -> None:
    """Show answers, bytes and the hit rate, by tenant and model."""

    async def read(answers: CachedAnswers) -> list[Group]:
        return await answers.groups()

    groups = with_answers(read, tenant=tenant, model=model)
    if as_json:
        print_json([{**asdict(group), "hit_rate": group.hit_rate} for group in groups])
    elif groups:
        out.print(_table(groups))
    else:
        err.print("nothing is cached, and nothing that may be cached was asked")


def _table(groups: list[Group]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("tenant", "model"):
        table.add_column(name)
    for name in ("answers", "size", "hits", "joined", "misses", "hit rate"):
        table.add_column(name, justify="right", no_wrap=True)
    for group in groups:
        table.add_row(
            escape(group.tenant),
            escape(group.model),
            f"{group.answers:,}",
            decimal(group.bytes),
            f"{group.hits:,}",
            f"{group.joined:,}",
            f"{group.misses:,}",
            "" if group.hit_rate is None else f"{group.hit_rate:.0%}",
        )
    return table
