from hypothesis import given
from hypothesis import strategies as st

from services.grounding.domain.context import Assembled, Passage, Past, Said, assemble
from tests.fakes.knowledge import WordTokens


def passage(number: int = 1, words: int = 10, score: float = 0.9) -> Passage:
    text = " ".join(f"w{number}" for _ in range(words))
    return Passage(f"doc-{number}", f"Title {number}", f"doc-{number}.md", 0, len(text), text, ("Part",), score)


def past(count: int) -> list[Past]:
    return [Past(f"t{number}", f"question {number}", f"answer {number}") for number in range(count)]


def fill(passages: list[Passage], exchanges: list[Past], budget: int) -> Assembled:
    return assemble(
        passages, exchanges, budget=budget, tokens=WordTokens(), render=lambda sources: f"Use these:\n{sources}"
    )


def test_sources_carry_markers_from_one_and_say_where_they_stand() -> None:
    assembled = fill([passage(1, 2), passage(2, 1)], [], 100)
    assert assembled.context == "Use these:\n[1] Title 1 > Part\nw1 w1\n\n[2] Title 2 > Part\nw2"
    assert [item.marker for item in assembled.cited] == ["[1]", "[2]"]


def test_without_sources_there_is_no_context() -> None:
    assert fill([], past(1), 100).context == ""


def test_a_passage_that_does_not_fit_gives_way_to_one_that_does() -> None:
    assembled = fill([passage(1, 10), passage(2, 500), passage(3, 10)], [], 60)
    cited = [(item.marker, item.passage.document_id) for item in assembled.cited]
    assert cited == [("[1]", "doc-1"), ("[2]", "doc-3")]


def test_history_is_trimmed_oldest_first_and_in_whole_exchanges() -> None:
    assembled = fill([], past(5), 8 + 2 * 10)
    assert assembled.history == (
        Said("user", "question 3"), Said("assistant", "answer 3"),
        Said("user", "question 4"), Said("assistant", "answer 4"),
    )  # fmt: skip


def test_history_is_trimmed_before_sources() -> None:
    assembled = fill([passage(1, 30)], past(5), 50)
    assert len(assembled.cited) == 1
    assert assembled.history == ()


@given(words=st.lists(st.integers(1, 60), max_size=6), exchanges=st.integers(0, 8), budget=st.integers(-5, 300))
def test_the_budget_is_never_exceeded(words: list[int], exchanges: int, budget: int) -> None:
    """INVARIANT: what grounding adds fits what preprocessing has left, or the model would refuse the prompt."""
    tokens = WordTokens()
    assembled = fill([passage(number, size) for number, size in enumerate(words)], past(exchanges), budget)
    spent = tokens.count(assembled.context) + tokens.count_messages([(s.role, s.content) for s in assembled.history])
    assert spent <= max(budget, 0)


def test_what_is_to_be_said_without_sources_takes_its_part_of_the_budget() -> None:
    def assembled(budget: int) -> Assembled:
        return assemble(
            [],
            past(5),
            budget=budget,
            tokens=WordTokens(),
            render=lambda _: "It is not covered here, say",
            uncovered=True,
        )

    assert assembled(100).context == "It is not covered here, say"
    assert assembled(10).context == ""
    assert len(assembled(8 + 2 * 10 + 14).history) == 4
