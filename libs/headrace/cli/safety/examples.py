"""`headrace safety test`: whether a policy does what the examples in its file say."""

from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from headrace.cli.output import Exit, err, fail, out, print_json
from headrace.cli.safety.asking import WAITING, asking
from headrace.messaging.errors import HeadraceError

EPILOG: Final = """Examples stand in the policy's file: `{text, side, sources, expect}`, where `expect` is cleared,
warned, masked, refused or routed.

Exit status: 0 all came out as expected, 1 one of them otherwise, 2 the command line is wrong.

Examples:

  headrace safety test default

  headrace safety test infra/policies/confidential.yaml --json
"""


def run_examples(
    policy: Annotated[str, typer.Argument(help="A policy of infra/policies, or the path of a file.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run the examples in a policy's file."""
    try:
        with err.status(WAITING), asking(policy) as checker:
            results = [_result(example, checker.judge(**_question(example))) for example in checker.examples]
            identity = checker.identity
    except HeadraceError as exc:
        fail(str(exc))
    if not results:
        fail(f"{identity} has no examples: add some to its file, so that what it means is written down")
    wrong = [result for result in results if result["outcome"] != result["expect"]]
    if as_json:
        print_json({"policy": identity, "examples": results, "failed": len(wrong)})
    else:
        for result in wrong:
            said = f"[red]{result['outcome']}[/] instead of {result['expect']}"
            err.print(f"{said}: {escape(result['text'])}", soft_wrap=True)
        out.print(f"{identity}: {len(results) - len(wrong)} of {len(results)} examples come out as they should")
    if wrong:
        raise typer.Exit(Exit.FAILED)


def _question(example: dict[str, Any]) -> dict[str, Any]:
    return {"text": example["text"], "side": example["side"], "sources": example["sources"]}


def _result(example: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    rules = [verdict["rule"] for verdict in answer["verdicts"]]
    return {**example, "outcome": answer["outcome"], "rules": list(dict.fromkeys(rules))}
