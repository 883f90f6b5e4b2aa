"""What a judgement takes on this machine."""

from dataclasses import dataclass
from typing import Final

from headrace.cli.eval.safety_sets import articles, prompts
from headrace.cli.eval.safety_sets.sources import AGENTS, PROMPTS, fetched
from headrace.cli.safety.asking import asking

_ARTICLES: Final = "tau2/data/domains/banking_knowledge/documents.json.gz"


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of one judgement: the median, and what one in twenty exceeds."""

    policy: str
    what: str
    cases: int
    mean_chars: int
    median_ms: float
    p95_ms: float


def costs() -> list[Cost]:
    """By policy, and by what is judged."""
    passages = prompts.some(articles.passages(fetched(AGENTS) / _ARTICLES), 60)
    texts = {
        "a prompt": ("input", prompts.some(prompts.s_labs(fetched(PROMPTS))[1], 60)),
        "a prompt of 2,000 characters": ("input", [(passage * 8)[:2000] for passage in passages[:20]]),
        "a passage": ("source", passages),
        "an answer": ("output", passages),
    }
    found = []
    for name in ("default", "confidential"):
        with asking(name) as policy:
            for what, (side, judged) in texts.items():
                seconds = sorted(policy.cost(text, side) for text in judged)
                middle, late = (seconds[int(len(seconds) * share)] for share in (0.5, 0.95))
                chars = sum(map(len, judged)) // len(judged)
                found.append(Cost(name, what, len(judged), chars, middle * 1000, late * 1000))
    return found
