"""How a head does on a collection that it has not learned from: `.venv/bin/python tests/bench/safety/left_out.py`.

Half a minute of training for each. The threshold is the one of the policy `default`.
"""

import sys
from collections.abc import Sequence

from headrace.cli.eval.safety_sets import prompts
from headrace.cli.eval.safety_sets.measuring import Share
from headrace.cli.eval.safety_sets.sources import PROMPTS, fetched
from headrace.runtime.paths import infra_dir
from services.safety.adapters import injection_data as data
from services.safety.adapters.injection_head import InjectionHead
from services.safety.adapters.injection_training import train
from services.safety.adapters.policies import load_policies
from services.safety.domain.injection import injections
from services.safety.domain.policy import InjectionRule

MOST = 300


def say(what: str, texts: Sequence[str], head: InjectionHead, threshold: float) -> None:
    """One figure a line."""
    share = Share(sum(bool(injections(text, head, threshold)) for text in texts), len(texts))
    low, high = share.interval
    sys.stdout.write(f"{what:<46}{share.value:.3f}  ({low:.3f}-{high:.3f}, {share.cases})\n")
    sys.stdout.flush()


def main() -> None:
    """Leave out one collection after the other."""
    policy = load_policies(infra_dir() / "policies")["default"]
    threshold = next(rule.threshold for rule in policy.rules if isinstance(rule, InjectionRule))
    judging = fetched(PROMPTS)
    labs, chemy = prompts.s_labs(judging), prompts.neuralchemy(judging)
    sources = data.prompts_by_source()
    foreign = [text for text, _, _ in sources["multilingual"]]
    harmless = prompts.some([*labs[1], *chemy[1]], 2 * MOST)
    for name, attacks in (("s-labs", labs[0]), ("neuralchemy", chemy[0]), ("multilingual", foreign)):
        rows = [row for source, kept in sources.items() if source != name for row in kept]
        head = train(rows, f"without {name}")
        say(f"attacks of {name}, head trained without", prompts.some(attacks, MOST), head, threshold)
        say("  false alarms, harmless prompts of both", harmless, head, threshold)


if __name__ == "__main__":
    main()
