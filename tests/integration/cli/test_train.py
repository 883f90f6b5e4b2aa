"""`headrace train classifier`, by the real encoder."""

import json
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from headrace.cli import train
from headrace.models.classifier.head import Head
from headrace.models.registry import load_registry
from headrace.runtime.paths import infra_dir

pytestmark = pytest.mark.integration

LATE = ["It came {} days late.", "I waited {} weeks for it.", "{} days after the date it was not here."]
BROKEN = ["It broke after {} days.", "{} of the keys do not work.", "The screen has {} cracks."]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    models = tmp_path / "infra" / "models"
    models.mkdir(parents=True)
    encoder = infra_dir() / "models" / "bge-small-en-v1.5.yaml"
    (models / encoder.name).write_text(encoder.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setenv("HEADRACE_INFRA_DIR", str(tmp_path / "infra"))
    monkeypatch.setenv("HEADRACE_DATA_DIR", str(tmp_path / "data"))
    rows = [{"text": said.format(n), "label": label} for label, texts in (("late", LATE), ("broken", BROKEN))
            for said in texts for n in range(2, 8)]  # fmt: skip
    write(tmp_path, *rows)
    return tmp_path


def write(folder: Path, *rows: object) -> None:
    (folder / "in.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def run(folder: Path, *options: str) -> Result:
    root = typer.Typer()
    root.callback()(lambda: None)
    train.register(root)
    return CliRunner().invoke(root, ["train", "classifier", str(folder / "in.jsonl"), *options])


def test_a_trained_classifier_is_a_model_of_the_registry_with_its_figures(folder: Path) -> None:
    result = run(folder, "--name", "tickets", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["texts"] == 36
    assert told["accuracy"]["value"] > 0.9
    assert [each["label"] for each in told["classes"]] == ["broken", "late"]
    spec = load_registry(folder / "infra" / "models").get("tickets")
    assert (spec.revision, [label.name for label in spec.labels]) == (told["revision"], ["broken", "late"])
    assert spec.source.type == "path"
    assert Head.load(Path(spec.source.path)).labels == ("broken", "late")


def test_the_same_texts_are_the_same_version_and_a_name_is_taken_once(folder: Path) -> None:
    assert run(folder, "--name", "tickets").exit_code == 0
    taken = run(folder, "--name", "tickets")
    assert taken.exit_code == 2
    assert "there is a model tickets already" in " ".join(taken.stderr.split())
    path = folder / "infra" / "models" / "tickets.yaml"
    before = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert run(folder, "--name", "tickets", "--replace").exit_code == 0
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == before


def test_a_model_that_was_not_trained_here_is_never_replaced(folder: Path) -> None:
    path = folder / "infra" / "models" / "bge-small-en-v1.5.yaml"
    before = path.read_bytes()
    result = run(folder, "--name", "bge-small-en-v1.5", "--replace")
    assert result.exit_code == 2
    assert "choose another --name" in " ".join(result.stderr.split())
    assert path.read_bytes() == before


def test_a_field_that_no_row_has_is_named(folder: Path) -> None:
    result = run(folder, "--name", "tickets", "--label-field", "kind")
    assert result.exit_code == 2
    assert "line 1: no class under 'kind': name another field with --label-field" in " ".join(result.stderr.split())


def test_bad_rows_are_named_and_left_out(folder: Path) -> None:
    with (folder / "in.jsonl").open("a", encoding="utf-8") as file:
        file.write('\n{"text": "It came late."}\n')
    result = run(folder, "--name", "tickets", "--json")
    assert result.exit_code == 0, result.output
    assert "line 37 left out: no class under 'label'" in result.stderr
    assert json.loads(result.stdout)["texts"] == 36


@pytest.mark.parametrize(
    ("rows", "name", "reason"),
    [
        ([{"text": "a", "label": "one"}] * 30, "tickets", "has 1 classes"),
        ([{"text": "a", "label": "one"}] * 30 + [{"text": "b", "label": "two"}], "tickets", "1 texts of 'two'"),
        ([{"text": "a", "label": label} for label in ("one", "two")] * 20, "No Name", "name: String should match"),
    ],
)
def test_what_cannot_be_trained_is_said_before_any_work(
    folder: Path, rows: list[object], name: str, reason: str
) -> None:
    write(folder, *rows)
    result = run(folder, "--name", name)
    assert result.exit_code == 2
    assert reason in " ".join(result.stderr.split())
    assert sorted(path.name for path in (folder / "infra" / "models").iterdir()) == ["bge-small-en-v1.5.yaml"]
