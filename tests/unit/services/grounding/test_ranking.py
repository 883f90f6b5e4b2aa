from services.grounding.domain.context import Passage
from services.grounding.domain.ranking import LIST, Candidate, Scored, Weights, rank, shortlist


def candidate(name: str, *cosines: float, words: float = 0.0, strong: tuple[float, ...] = ()) -> Candidate:
    document, _, _ = name.partition("#")
    return Candidate(Passage(document, document, "", 0, 4, name, (), max(cosines)), cosines, words, strong)


def order(*candidates: Candidate, weights: Weights | None = None) -> list[str]:
    return [passage.text for passage in rank(candidates, weights or Weights())]


def test_meaning_and_words_are_weighed_by_how_far_they_stand_over_the_rest() -> None:
    found = candidate("meant", 0.9), candidate("said", 0.5, words=9.0), candidate("both", 0.8, words=8.0)
    assert order(*found) == ["both", "meant", "said"]
    assert order(*found, weights=Weights(meaning=1.0)) == ["meant", "both", "said"]
    assert order(*found, weights=Weights(meaning=0.0)) == ["said", "both", "meant"]


def test_a_second_passage_speaks_for_its_document_and_stays_behind_the_first() -> None:
    found = candidate("a#1", 0.80), candidate("b#1", 0.79), candidate("b#2", 0.78), candidate("c#1", 0.1)
    assert order(*found) == ["b#1", "a#1", "b#2", "c#1"]
    assert order(*found, weights=Weights(support=0.0)) == ["a#1", "b#1", "b#2", "c#1"]


def test_of_a_long_question_those_windows_count_that_a_passage_answers_best() -> None:
    found = candidate("one part", 0.1, 0.1, 0.9, 0.9, 0.9), candidate("a bit of all", 0.5, 0.5, 0.5, 0.5, 0.5)
    assert order(*found, candidate("none", 0.1, 0.1, 0.1, 0.1, 0.1))[0] == "one part"


def test_the_stronger_encoder_decides_where_there_is_one() -> None:
    found = candidate("weak", 0.9, strong=(0.2,)), candidate("strong", 0.3, strong=(0.8,))
    assert order(*found) == ["strong", "weak"]
    assert [passage.score for passage in rank(found, Weights())] == [0.3, 0.9]


def test_candidates_that_are_all_alike_are_kept_and_none_gives_none() -> None:
    assert len(order(candidate("a", 0.5), candidate("b", 0.5))) == 2
    assert order() == []


def test_the_shortlist_takes_from_every_list_and_no_more_than_asked() -> None:
    near = [Scored("near", 0.9), Scored("both", 0.8)]
    words = [Scored("said", 7.0), Scored("both", 6.0)]
    assert shortlist([near], words, Weights(), 2)[0] == "both"
    assert set(shortlist([near], words, Weights(), 9)) == {"near", "both", "said"}
    assert shortlist([], [], Weights(), 9) == []


def test_the_last_of_a_full_list_stands_for_all_that_are_not_on_it() -> None:
    full = [Scored(f"n{place}", 0.9 - place / 1000) for place in range(LIST)]
    words = [Scored("said", 1.0)]
    assert shortlist([full], words, Weights(meaning=0.9), 2) == ["n0", "n1"]
    assert shortlist([full], words, Weights(meaning=0.9), LIST + 1)[-1] == f"n{LIST - 1}"
