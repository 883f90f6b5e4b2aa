"""Instructions hidden in documents: public benchmarks of attacks on agents, and the same documents without the attack.

AgentDojo (Debenedetti et al. 2024), AgentThreatBench and the coding-agent set, as they stand in the wheel of
inspect-evals. Nothing is trained on any of them.
"""

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

_SUITES: Final = ("banking", "slack", "travel", "workspace")
_USER: Final = "Emma Johnson"
# A value that short is a name or a number, not a text.
_LEAST_CHARS: Final = 40
_AGENT_THREATS: Final = ("memory_poison.json", "autonomy_hijack.json", "data_exfil.json")


def agentdojo(root: Path) -> tuple[list[str], list[str]]:
    """Texts of the environments with an attack in them (each place with each goal of its suite), and as they are."""
    template = _template(root / "attacks" / "attack.py").replace("{user_name}", _USER).replace("{{goal}}", "{goal}")
    attacked: list[str] = []
    clean: list[str] = []
    for suite in _SUITES:
        folder = root / "data" / "suites" / suite
        vectors = yaml.safe_load((folder / "injection_vectors.yaml").read_text(encoding="utf-8"))
        usual = {name: str(vector["default"]) for name, vector in vectors.items()}
        goals = _goals(root / "task_suites" / suite / "injection_tasks.py")
        for text in _texts(_environment(folder / "environment.yaml")):
            clean.append(_filled(text, usual))
            for name in vectors:
                if "{" + name + "}" in text:
                    attacked += [_filled(text, {**usual, name: template.format(goal=goal)}) for goal in goals]
    return attacked, [text for text in clean if len(text) >= _LEAST_CHARS]


def agent_threats(root: Path) -> tuple[list[str], list[str]]:
    """Entries of memories, inboxes and records. What names an assistant or carries a marker of the attack is one."""
    attacked: list[str] = []
    clean: list[str] = []
    for name in _AGENT_THREATS:
        for sample in json.loads((root / "data" / name).read_text(encoding="utf-8")):
            bad = _attacked_of(sample)
            for text in _texts({key: sample[key] for key in ("memory_store", "inbox", "customer_db") if key in sample}):
                (attacked if text in bad else clean).append(text)
    return attacked, list(dict.fromkeys(clean))


def coding_agent(root: Path) -> tuple[list[str], list[str]]:
    """Issues, comments and readmes that a coding agent reads; the file that carries the payload, and its like."""
    attacked: list[str] = []
    clean: list[str] = []
    for sample in json.loads((root / "dataset" / "samples.json").read_text(encoding="utf-8")):
        files = {"issue_text": sample["issue_text"], **sample["repo_files"]}
        for name, text in files.items():
            if len(text) < _LEAST_CHARS or name.startswith("tests/"):
                continue
            (attacked if not sample["is_benign"] and _carries(sample, name, text) else clean).append(text)
    return attacked, list(dict.fromkeys(clean))


def _carries(sample: Mapping[str, Any], name: str, text: str) -> bool:
    where = {"issue_text": name == "issue_text", "readme": name.lower().endswith(".md")}
    vector = sample["injection_vector"]
    if vector in where:
        return where[vector]
    if vector == "code_comment":
        return name.startswith("src/") and ("#" in text or '"""' in text) and name != "src/__init__.py"
    return not name.startswith(("src/", "tests/")) and name not in {"issue_text", "pyproject.toml"}


def _attacked_of(sample: Mapping[str, Any]) -> set[str]:
    """The texts of a sample that hold the attack; the set marks the answer they want, not the text."""
    markers = [sample["attack_marker"]] if "attack_marker" in sample else []
    markers += sample.get("forbidden_actions", [])
    texts = list(_texts({key: sample[key] for key in ("memory_store", "inbox", "customer_db") if key in sample}))
    told = ("assistant", "system update", "[system]", "admin_message", "ignore all previous")
    return {
        text
        for text in texts
        if any(marker.lower() in text.lower() for marker in markers) or any(word in text.lower() for word in told)
    }


def _template(path: Path) -> str:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return node.value.value
    raise ValueError(f"no template in {path}")


def _goals(path: Path) -> list[str]:
    """The `GOAL` of every class; its parts are constants of the class."""
    goals = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ClassDef):
            continue
        known: dict[str, str] = {}
        for part in node.body:
            if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
                value = _text(part.value, known)
                if value is not None:
                    known[part.targets[0].id] = value
        if "GOAL" in known:
            goals.append(known["GOAL"])
    return goals


def _text(node: ast.expr, known: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.JoinedStr):
        parts = [
            _text(part.value if isinstance(part, ast.FormattedValue) else part, known) or "" for part in node.values
        ]
        return "".join(parts)
    return None


class _Including(yaml.SafeLoader):
    """Reads the files that an environment includes."""


def _include(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    path = Path(str(loader.name)).parent / str(loader.construct_scalar(node))
    return _environment(path)


_Including.add_constructor("!include", _include)


def _environment(path: Path) -> Any:
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, _Including)  # noqa: S506 - a safe loader that reads neighbouring files


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        if len(content) >= _LEAST_CHARS or "{" in content:
            yield content
    elif isinstance(content, Mapping):
        for value in content.values():
            yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text
