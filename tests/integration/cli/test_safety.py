"""`headrace safety check` and `test`, by the service's own code in a process of its own."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from headrace.cli import eval as evaluations
from headrace.cli import safety

pytestmark = pytest.mark.integration

PATTERNS = """
name: patterns
version: "1"
rules:
  - {name: people, kind: pii, direction: input, action: mask, entities: [EMAIL]}
  - {name: quiet, kind: terms, direction: both, action: refuse, terms: [blue heron]}
  - {name: borne-out, kind: groundedness, action: warn, threshold: 0.51}
examples:
  - {text: "Write to ann@acme.test.", expect: masked}
  - {text: "We saw a blue heron.", side: output, expect: refused}
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "patterns.yaml"
    path.write_text(PATTERNS, encoding="utf-8")
    return path


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    root = typer.Typer()
    root.callback()(lambda: None)
    safety.register(root)
    return CliRunner().invoke(root, ["safety", *arguments], input=stdin)


@pytest.mark.parametrize(("text", "says"), [("/dev/zero", "no regular file"), ("", "no words"), ("  ", "no words")])
def test_what_has_no_words_is_never_said_to_be_cleared(text: str, says: str) -> None:
    result = run("check", text)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_text_is_checked_with_its_outcome_and_the_place_of_each_verdict(policy: Path) -> None:
    result = run("check", "Write to ann@acme.test.", "--policy", str(policy), "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["policy"].startswith("patterns@1+")
    assert told["outcome"] == "masked"
    (verdict,) = told["verdicts"]
    assert (verdict["rule"], verdict["start"], verdict["end"], verdict["score"]) == ("people", 9, 22, 1.0)
    (found,) = told["findings"]
    assert found["kind"] == "EMAIL"


def test_a_file_standard_input_and_an_answer_with_its_sources_are_checked(policy: Path, tmp_path: Path) -> None:
    letter, source = tmp_path / "letter.txt", tmp_path / "prices.md"
    letter.write_text("We saw a blue heron.", encoding="utf-8")
    source.write_text("A fee of 25 EUR is due.", encoding="utf-8")
    assert "refused by patterns@1+" in run("check", str(letter), "--policy", str(policy)).stdout
    assert "cleared" in run("check", "-", "--policy", str(policy), stdin=b"Hello").stdout
    answer = ("check", "The fee is 35 EUR [1].", "--side", "output", "--source", str(source), "--policy", str(policy))
    assert json.loads(run(*answer, "--json").stdout)["outcome"] == "warned"


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (("check", "missing.txt"), None, "there is no file missing.txt"),
        (("check", "{folder}"), None, "is a folder: name a file in it"),
        (("check", "{binary}"), None, "is no UTF-8 text (byte 0)"),
        (("check", "-"), b"x" * 4_000_001, "standard input has more than 4,000,000 bytes"),
        (("check", "Hello", "--policy", "nowhere"), None, "there is no policy 'nowhere' in infra/policies: use"),
        (("check", "Hello", "--policy", "{broken}"), None, "broken.yaml is no policy"),
        (("check", "Hello", "--policy", "/nowhere/x.yaml"), None, "cannot be read (No such file or directory)"),
        (("check", "Hello", "--side", "output", "--source", "gone.md"), None, "gone.md cannot be read"),
        (("test", "{empty}"), None, "has no examples"),
    ],
)
def test_a_wrong_command_line_is_answered_with_what_to_do(
    arguments: tuple[str, ...], stdin: bytes | None, said: str, tmp_path: Path
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "broken.yaml").write_text("name: broken\nversion: '1'\nrules: 3\n", encoding="utf-8")
    (tmp_path / "empty.yaml").write_text("name: empty\nversion: '1'\nrules: []\n", encoding="utf-8")
    places = {"folder": tmp_path, **{name: tmp_path / name for name in ("binary",)}}
    places |= {name: tmp_path / f"{name}.yaml" for name in ("broken", "empty")}
    result = run(*(argument.format(**places) for argument in arguments), stdin=stdin)
    assert result.exit_code in {1, 2}
    assert said in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_examples_that_come_out_as_they_should_end_well(policy: Path) -> None:
    result = run("test", str(policy))
    assert result.exit_code == 0, result.output
    assert "2 of 2 examples come out as they should" in result.stdout


def test_an_example_that_comes_out_otherwise_is_named_and_the_exit_status_says_so(policy: Path) -> None:
    policy.write_text(PATTERNS.replace("expect: masked", "expect: cleared"), encoding="utf-8")
    result = run("test", str(policy), "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["failed"] == 1
    assert (told["examples"][0]["outcome"], told["examples"][0]["rules"]) == ("masked", ["people"])
    assert "masked instead of cleared: Write to ann@acme.test." in run("test", str(policy)).output


def test_the_evaluation_prints_figures_with_sizes_intervals_and_baselines() -> None:
    root = typer.Typer()
    root.callback()(lambda: None)
    evaluations.register(root)
    result = CliRunner().invoke(root, ["eval", "safety", "--only", "groundedness", "--json"])
    assert result.exit_code == 0, result.output
    told = {row["set"]: row for row in json.loads(result.stdout.splitlines()[-1])["figures"]}
    as_it_stands, changed = told["as in the article"], told["with another number"]
    assert as_it_stands["figure"] <= 0.02
    assert changed["low"] < changed["figure"] <= changed["high"]
    assert changed["figure"] >= 0.9 > changed["baseline"]
    assert changed["cases"] > 50
