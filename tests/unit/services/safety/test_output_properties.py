"""What must hold of every answer, however it is written and however it arrives."""

from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.safety.adapters.policies import detectors_for
from services.safety.domain.gate import Cleared, Generated, Stream, count, step
from services.safety.domain.output_judgement import judge_whole
from services.safety.domain.policy import CredentialRule, PersonalDataRule, Policy, TermsRule
from services.safety.domain.segments import cut
from services.safety.ports import Looks

RELAXED = settings(deadline=None, max_examples=150)
POLICY = Policy(
    name="strict",
    version="1",
    hold_chars=80,
    phone_regions=("US",),
    rules=(
        CredentialRule(name="keys", kind="secrets", direction="output", action="refuse", kinds=("keys", "passwords")),
        PersonalDataRule(
            name="people",
            kind="pii",
            direction="output",
            action="refuse",
            entities=("EMAIL", "CREDIT_CARD", "IBAN", "US_SSN", "PHONE"),
        ),
        TermsRule(
            name="names", kind="terms", direction="output", action="refuse", terms=("project blue heron", "hush money")
        ),
    ),
)
DETECTORS = detectors_for(POLICY, Looks())
LEAKS = (
    "jane.doe@acme.test",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111\n1111\n1111\n1111",
    "DE89 3704 0044 0532 0130 00",
    "GB29 NWBK 6016 1331 9268 19",
    "123-45-6789",
    "+49 30 9018 2000",
    "AKIAIOSFODNN7EXAMPLE",
    "sk-proj-abcdefghij0123456789ABCDEFGHIJ",
    "-----BEGIN RSA PRIVATE KEY-----",
    "project blue heron",
    "Project\nBlue  Heron",
    "hush money",
)
WORDS = st.sampled_from(
    [
        *("the", "tide", "rises", "e.g.", "Dr.", "3.", "[1]", "[1, 2]", "<EMAIL_1>", "2024", "v1.2.3", "x=1;"),
        *(
            "Wirklich?",
            "Ja!",
            "end.",
            "so…",
            "猫。",
            "naïve",
            "e\u0301tude",
            "👩‍💻",
            "GB29",
            "project",
            "blue",
            "hush",
            "4111",
        ),
        "a" * 130,
    ]
)
GAPS = st.sampled_from([" ", " ", " ", "\n", "  ", "\n\n", ". ", ", ", "\t", ""])
TEXTS = st.lists(st.tuples(WORDS, GAPS), max_size=40).map(lambda parts: "".join(word + gap for word, gap in parts))


@st.composite
def chunked(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> tuple[str, list[str]]:
    text = draw(texts)
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    edges = [0, *places, len(text)]
    return text, [text[start:end] for start, end in pairwise(edges)]


@st.composite
def leaking(draw: st.DrawFn) -> tuple[str, int]:
    before, after = draw(TEXTS), draw(TEXTS)
    gap = draw(st.sampled_from([" ", "\n", ". ", ", "]))
    lead = before + gap if before else ""
    return lead + draw(st.sampled_from(LEAKS)) + draw(st.sampled_from([" ", ". ", "\n", ", "])) + after, len(lead)


def streamed(chunks: list[str]) -> list[Cleared]:
    stream: Stream | None = None
    out: list[Cleared] = []
    offset = 0
    for index, chunk in enumerate(chunks):
        taken = step(stream, Generated(1, offset, chunk, last=index == len(chunks) - 1), POLICY, DETECTORS)
        out += taken.cleared
        stream = taken.stream
        offset += len(chunk)
    assert stream is None
    return out


@RELAXED
@given(TEXTS, st.integers(80, 300))
def test_segments_joined_are_the_text_and_none_is_too_long(text: str, hold: int) -> None:
    segments = cut(text, hold, last=True).segments
    assert "".join(segments) == text
    assert all(0 < len(segment) <= hold for segment in segments)


@RELAXED
@given(chunked(TEXTS), st.integers(80, 300))
def test_segments_do_not_depend_on_how_the_text_arrived(case: tuple[str, list[str]], hold: int) -> None:
    text, chunks = case
    rest = ""
    segments: list[str] = []
    for chunk in chunks:
        pieces = cut(rest + chunk, hold, last=False)
        segments += pieces.segments
        rest = pieces.rest
    assert (*segments, *cut(rest, hold, last=True).segments) == cut(text, hold, last=True).segments


@RELAXED
@given(TEXTS, st.integers(80, 300))
def test_no_mask_and_no_citation_is_cut_in_two(text: str, hold: int) -> None:
    segments = cut(text, hold, last=True).segments
    for whole in ("<EMAIL_1>", "[1]", "[1, 2]"):
        assert sum(segment.count(whole) for segment in segments) == text.count(whole)


@RELAXED
@given(st.one_of(chunked(TEXTS), chunked(leaking().map(lambda case: case[0]))))
def test_the_gate_over_any_chunks_equals_the_judgement_over_the_whole(case: tuple[str, list[str]]) -> None:
    """INVARIANT: the completed text is the deltas joined, so the two judgements must agree to the character."""
    text, chunks = case
    whole = judge_whole(text, POLICY, DETECTORS)
    cleared = streamed(chunks)
    assert "".join(delta.text for delta in cleared) == whole.text
    assert [delta.text for delta in cleared if delta.text] == list(whole.segments)
    assert [delta.seq for delta in cleared] == list(range(count(whole)))
    assert [delta.last for delta in cleared] == [False] * (len(cleared) - 1) + [True]
    assert cleared[-1].stopped == (whole.stop is not None)
    assert whole.stop or whole.text == text


@RELAXED
@given(leaking())
def test_not_a_character_of_a_leak_is_released(case: tuple[str, int]) -> None:
    """INVARIANT: a verdict covers every segment, also one that ends in the middle of a leak."""
    text, start = case
    whole = judge_whole(text, POLICY, DETECTORS)
    assert whole.stop
    assert len(whole.text) <= start


@RELAXED
@given(chunked(leaking().map(lambda case: case[0])), st.data())
def test_an_answer_that_is_cut_off_behind_its_stop_is_refused_as_the_gate_refused_it(
    case: tuple[str, list[str]], data: st.DataObject
) -> None:
    """INVARIANT: generation may end anywhere behind a stop: segments, verdicts and the deltas stay the same."""
    _, chunks = case
    stream: Stream | None = None
    out: list[Cleared] = []
    seen = ""
    for chunk in chunks:
        taken = step(stream, Generated(1, len(seen), chunk, last=False), POLICY, DETECTORS)
        out += taken.cleared
        stream = taken.stream
        seen += chunk
        if taken.futile:
            break
    assume(taken.futile)
    rest = "".join(chunks)[len(seen) :]
    cut_off = seen + rest[: data.draw(st.integers(0, len(rest)))]
    whole = judge_whole(cut_off, POLICY, DETECTORS, stopped=True)
    assert [delta.text for delta in out if delta.text] == list(whole.segments)
    assert count(whole) == len(out)
    assert out[-1].stopped
    assert stream is not None
    assert whole.verdicts == stream.progress.verdicts


@RELAXED
@given(chunked(TEXTS))
def test_repeated_pieces_change_nothing(case: tuple[str, list[str]]) -> None:
    _, chunks = case
    offsets = [sum(map(len, chunks[:index])) for index in range(len(chunks))]
    stream: Stream | None = None
    out: list[Cleared] = []
    for offset, chunk in zip(offsets, chunks, strict=True):
        for begin in {0, offset}:
            repeated = "".join(chunks)[begin : offset + len(chunk)]
            taken = step(stream, Generated(1, begin, repeated, last=False), POLICY, DETECTORS)
            out += taken.cleared
            stream = taken.stream
    out += step(stream, Generated(1, sum(map(len, chunks)), "", last=True), POLICY, DETECTORS).cleared
    assert out == streamed(chunks)
