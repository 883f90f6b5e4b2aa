"""`headrace eval`: what the parts reach on public data, with sizes, intervals and baselines."""

import typer

from headrace.cli.eval import cache, retrieval, reviews, safety


def register(root: typer.Typer) -> None:
    """Add `headrace eval` with its commands."""
    group = typer.Typer(help="Measure on public data, fetched for it and pinned.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("cache", epilog=cache.EPILOG)(cache.eval_cache)
    retrieval.register(group)
    group.command("reviews", epilog=reviews.EPILOG)(reviews.eval_reviews)
    group.command("safety", epilog=safety.EPILOG)(safety.eval_safety)
    root.add_typer(group, name="eval")
