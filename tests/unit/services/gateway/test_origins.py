import pytest

from services.gateway.domain.origins import allowed


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "chat.example.org"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://localhost:8080", "localhost:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("https://chat.example.org", "gateway:8080"),
    ],
)
def test_own_pages_and_listed_ones_may_speak(origin: str | None, host: str) -> None:
    assert allowed(origin, host, {"https://chat.example.org"})


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "127.0.0.1:8080"),
        ("http://127.0.0.1:9999", "127.0.0.1:8080"),
        ("http://evil.example:8080", "evil.example:8080"),
        ("null", "127.0.0.1:8080"),
        ("http://[bad", "127.0.0.1:8080"),
        ("", "127.0.0.1:8080"),
    ],
)
def test_other_pages_may_not_even_by_a_name_that_points_here(origin: str, host: str) -> None:
    assert not allowed(origin, host, {"https://chat.example.org"})


def test_a_star_opens_the_gateway_to_every_page() -> None:
    assert allowed("https://any.example", "x", {"*"})
