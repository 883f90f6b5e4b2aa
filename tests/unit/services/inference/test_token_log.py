"""Probabilities go out with the text of their tokens, and not with what was never shown."""

from services.inference.domain.text_stream import TextStream
from services.inference.domain.token_log import Likely, TokenLog, TokenLogprob

WORDS = ["The", " river", " 日", " END", " of"]


def token(text: str | bytes) -> TokenLogprob:
    return TokenLogprob(Likely(text if isinstance(text, bytes) else text.encode(), -0.5))


def test_tokens_come_with_the_piece_that_completes_them() -> None:
    log = TokenLog()
    log.add([token("The"), token(" river")])
    assert log.shown("The ri", last=False) == (token("The"),)
    assert log.shown("ver", last=False) == (token(" river"),)
    assert log.shown("", last=True) == ()


def test_halves_of_a_character_are_tokens_of_their_own() -> None:
    half, rest = "é".encode()[:1], "é".encode()[1:]
    log = TokenLog()
    log.add([token(half)])
    assert log.shown("", last=False) == ()
    log.add([token(rest)])
    assert log.shown("é", last=False) == (token(half), token(rest))
    assert half.decode("utf-8", "replace") == token(half).drawn.text


def test_an_end_mark_is_no_token_of_the_answer() -> None:
    log = TokenLog()
    log.add([token("Yes"), token(b"")])
    assert log.shown("Yes", last=True) == (token("Yes"),)


def test_what_a_stop_string_took_back_is_not_told() -> None:
    stream = TextStream(lambda ids: "".join(WORDS[number] for number in ids), ("END",))
    log = TokenLog()
    told: list[TokenLogprob] = []
    for number, word in enumerate(WORDS):
        log.add([token(word)])
        told += log.shown(stream.push([number]), last=stream.stopped)
        if stream.stopped:
            break
    # The space before END is shown, and END is its token's other half.
    assert [each.drawn.text for each in told] == ["The", " river", " 日", " END"]
