from services.grounding.domain.analysis import stems
from services.grounding.domain.citing import citable
from services.grounding.domain.context import Passage

SLUICE = "The sluice opens at dawn and is closed by the keeper at dusk on every day of the year"


def passage(text: str, score: float = 0.9, document: str = "d", headings: tuple[str, ...] = ()) -> Passage:
    return Passage(document, document, "", 0, len(text), text, headings, score)


def cited(*ranked: Passage, question: str = "Who knows?", limit: int = 3) -> list[str]:
    return [each.text for each in citable(ranked, stems(question), min_score=0.3, limit=limit)]


def test_what_scores_too_low_is_left_out_and_the_order_stays() -> None:
    found = passage("b turns", 0.4), passage("a hums", 0.9), passage("c sleeps", 0.1), passage("d runs", 0.5)
    assert cited(*found, limit=2) == ["b turns", "a hums"]
    assert cited(*found) == ["b turns", "a hums", "d runs"]


def test_a_passage_that_has_the_questions_words_is_cited_however_little_it_means_to_the_encoder() -> None:
    found = passage("Part XK-4711 is greased yearly.", 0.1)
    assert cited(found, question="Is XK-4711 greased?") == [found.text]
    assert cited(found, question="How often is XK-4711 painted green by hand?") == []
    assert cited(found, question="greased") == []


def test_headings_and_title_are_part_of_what_a_passage_says() -> None:
    found = passage("Once a year.", 0.1, headings=("Part XK-4711", "Greasing"))
    assert cited(found, question="greasing of XK-4711") == [found.text]


def test_near_duplicates_are_one_and_the_best_stands_for_them() -> None:
    copy = SLUICE.replace("dusk", "dusk,").upper()
    assert cited(passage(SLUICE), passage(copy, document="copy"), passage("Weirs are low.")) == [
        SLUICE,
        "Weirs are low.",
    ]


def test_what_differs_in_a_name_only_is_no_duplicate_where_the_text_is_short() -> None:
    found = passage("The gold card costs 10 dollars a year."), passage("The silver card costs 5 dollars a year.")
    assert len(cited(*found)) == 2
