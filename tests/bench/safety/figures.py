"""Prints the figures of services/safety/README.md: `.venv/bin/python tests/bench/safety/figures.py` (one minute)."""

import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from headrace.runtime.paths import infra_dir
from services.safety.adapters import injection_data as data
from services.safety.adapters.injection_head import InjectionHead
from services.safety.adapters.injection_source import own_harmless
from services.safety.adapters.injection_training import ensure_head, train
from services.safety.adapters.policies import detectors_for, load_policies
from services.safety.domain.findings import Detectors
from services.safety.domain.injection import injections
from services.safety.domain.input_judgement import Message, Request, judge
from services.safety.domain.matching import matches
from services.safety.domain.output_judgement import judge_whole
from services.safety.domain.policy import CredentialRule, InjectionRule, PersonalDataRule, Policy

HERE = Path(__file__).parent
SENTENCES = 20
DOCUMENTS = 200


def say(line: str) -> None:
    """One figure a line."""
    print(line, flush=True)  # noqa: T201 - a command that prints figures


def lines(name: str) -> list[str]:
    """One case a line."""
    return (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def share(texts: Sequence[str], head: InjectionHead, threshold: float) -> str:
    """How many of them are refused."""
    refused = sum(bool(injections(text, head, threshold)) for text in texts)
    return f"{refused} of {len(texts)} ({refused / len(texts):.1%})"


def documents(sentences: Sequence[str], hidden: Sequence[str] = ()) -> list[str]:
    """Texts of many sentences, each with one of the hidden ones among them."""
    chance = random.Random(7)  # noqa: S311 - the same documents each time
    found = []
    for _ in range(DOCUMENTS):
        parts = chance.sample(list(sentences), SENTENCES)
        if hidden:
            parts.insert(chance.randrange(SENTENCES), chance.choice(list(hidden)))
        found.append(" ".join(part.rstrip(".?!") + "." for part in parts))
    return found


def injection(policy: Policy) -> None:
    """Recall and false alarms on what the head was not trained on."""
    threshold = next(rule.threshold for rule in policy.rules if isinstance(rule, InjectionRule))
    folder = data.fetch()
    head = InjectionHead.load(ensure_head())
    held_out = list(data.labelled(folder / "test.csv"))
    attacks = [text for text, label, _ in held_out if label]
    harmless = [text for text, label, _ in held_out if not label]
    began = time.perf_counter()
    english = train([*data.labelled(folder / "train.csv"), *data.harmless(own_harmless())], "english")
    say(f"training (without the multilingual source)   {time.perf_counter() - began:.1f} s")
    say(f"refused at {threshold}: held-out split, attacks    {share(attacks, head, threshold)}")
    say(f"  held-out split, harmless                   {share(harmless, head, threshold)}")
    say(f"  own attacks (a sixth of them encoded)      {share(lines('attacks'), head, threshold)}")
    say(f"  own hard harmless, never looked at         {share(lines('harmless_held_out'), head, threshold)}")
    say(f"  own hard harmless, threshold set on them   {share(lines('harmless_for_threshold'), head, threshold)}")
    foreign = [text for text, _, _ in data.attacks(folder / "multilingual.csv")]
    say(f"  multilingual source, head trained without  {share(foreign, english, threshold)}")
    say(f"  {SENTENCES} harmless sentences in one text         {share(documents(harmless), head, threshold)}")
    say(f"  the same with one attack among them        {share(documents(harmless, attacks), head, threshold)}")
    timed(
        "injection, a hard harmless prompt", lambda text: injections(text, head, threshold), lines("harmless_held_out")
    )


def personal_data(policy: Policy, detectors: Detectors) -> None:
    """Recall by place, and false alarms on texts with versions, codes and amounts."""
    rules = [rule for rule in policy.rules if isinstance(rule, PersonalDataRule | CredentialRule)]
    rules = [rule for rule in rules if rule.looks_at("input")]
    hit = all_ = extra = 0
    for line in lines("personal_data"):
        marked = re.split(r"\[\[|\]\]", line)
        text = "".join(marked)
        starts = [sum(map(len, marked[:index])) for index in range(len(marked))]
        spans = {(starts[index], starts[index] + len(marked[index])) for index in range(1, len(marked), 2)}
        found = {(finding.start, finding.end) for rule in rules for finding in matches(rule, text, detectors)}
        hit, all_, extra = hit + len(spans & found), all_ + len(spans), extra + len(found - spans)
    harmless = lines("harmless_numbers")
    flagged = sum(any(matches(rule, text, detectors) for rule in rules) for text in harmless)
    say(f"personal data: found to the character        {hit} of {all_}, {extra} beside them")
    say(f"  harmless texts with numbers flagged        {flagged} of {len(harmless)}")


def timed(what: str, work: Callable[[str], object], texts: Sequence[str]) -> None:
    """Milliseconds for one text, on average."""
    began = time.perf_counter()
    for text in texts:
        work(text)
    say(f"time: {what:<39}{(time.perf_counter() - began) / len(texts) * 1000:.1f} ms")


START = """
import asyncio
from services.safety.app import build_app
from services.safety.settings import Settings
async def start():
    async with build_app(Settings()).lifespan():
        print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
asyncio.run(start())
"""


def start() -> None:
    """A service's start until it is warm, in a process of its own."""
    began = time.perf_counter()
    told = subprocess.run([sys.executable, "-c", START], check=True, capture_output=True, text=True).stdout
    kilobytes = int(told.split()[-1])
    say(f"start until warm                             {time.perf_counter() - began:.1f} s, {kilobytes // 1024} MB RSS")


def main() -> None:
    """Print all of it."""
    policy = load_policies(infra_dir() / "policies")["default"]
    head = InjectionHead.load(ensure_head())
    detectors = detectors_for(policy, Looks(injection=head))
    start()
    injection(policy)
    personal_data(policy, detectors)
    prompts = lines("harmless_held_out")
    timed(
        "the input, all rules", lambda text: judge(Request([text], [Message("user", text)]), policy, detectors), prompts
    )
    answer = " ".join(prompts[:40])
    timed(f"the output, {len(answer)} characters", lambda text: judge_whole(text, policy, detectors), [answer] * 5)


if __name__ == "__main__":
    main()
