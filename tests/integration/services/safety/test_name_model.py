"""The model of names and addresses, on the weights that the registry names."""

import pytest

from headrace.models.registry import load_registry
from headrace.runtime.paths import infra_dir
from services.safety.adapters.names import NameModel

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def model() -> NameModel:
    found = NameModel(lambda: load_registry(infra_dir() / "models").get("rampart-pii", task="tag"))
    found.warm_up()
    return found


def test_people_and_addresses_are_found_where_they_stand(model: NameModel) -> None:
    text = "Please send it to Olivia Johansson, 986 Sunset Drive, Suite 259, Denver, CO 80279."
    assert [text[found.start : found.end] for found in model.people(text)] == ["Olivia Johansson"]
    assert [text[found.start : found.end] for found in model.addresses(text)] == [
        "986 Sunset Drive, Suite 259, Denver, CO 80279"
    ]


def test_a_text_without_anybody_has_nobody(model: NameModel) -> None:
    text = "Version 2.3.1 of the pump starts at 6 bar."
    assert not [*model.people(text), *model.addresses(text)]


def test_a_name_is_found_wherever_it_stands_in_a_long_text(model: NameModel) -> None:
    """INVARIANT: what straddles the edge of a window is whole in the next."""
    filler = "The pump was started and the valve was opened. "
    for before in range(8, 34, 3):
        text = filler * before + "Yesterday Mohamed Santos called. " + filler * 12
        assert "Mohamed Santos" in [text[found.start : found.end] for found in model.people(text)]


def test_an_empty_text_has_nobody(model: NameModel) -> None:
    assert not list(model.people(""))
