import json
from pathlib import Path

import pytest

from headrace.embedded import state
from headrace.embedded.supervisor import Status
from headrace.messaging.errors import Fatal


def _write(folder: Path) -> None:
    state.write(folder, ready=True, url="http://x/", environment={"HEADRACE_X": "1"}, statuses=[Status("kafka")])


def test_a_second_stack_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with state.alone(tmp_path), pytest.raises(Fatal, match="another stack"), state.alone(tmp_path):
        pass


def test_the_state_is_read_while_the_stack_runs_and_not_after(tmp_path: Path) -> None:
    with state.alone(tmp_path):
        _write(tmp_path)
        found = state.read(tmp_path)
        assert found is not None
        assert found["parts"][0]["name"] == "kafka"
    assert state.read(tmp_path) is None


def test_what_a_killed_stack_left_is_not_believed(tmp_path: Path) -> None:
    _write(tmp_path)
    assert json.loads((tmp_path / state.STATE_FILE).read_text())
    assert state.read(tmp_path) is None


def test_the_token_in_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    _write(tmp_path)
    assert (tmp_path / state.STATE_FILE).stat().st_mode & 0o077 == 0


def test_a_command_takes_the_stacks_addresses_but_never_over_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEADRACE_X", raising=False)
    monkeypatch.setenv("HEADRACE_Y", "mine")
    with state.alone(tmp_path):
        environment = {"HEADRACE_X": "theirs", "HEADRACE_Y": "theirs"}
        state.write(tmp_path, ready=True, url="", environment=environment, statuses=[])
        assert state.unset_addresses(tmp_path) == {"HEADRACE_X": "theirs"}
