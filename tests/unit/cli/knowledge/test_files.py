import os
from pathlib import Path

import pytest

from headrace.cli.knowledge.files import Readable, Unreadable, find_all, printable, read
from headrace.documents.formats import MAX_TEXT_BYTES


def read_all(*given: Path | str) -> list[Readable | Unreadable]:
    return [found if isinstance(found, Unreadable) else read(found) for found in find_all(map(str, given))]


def reasons(*given: Path | str) -> dict[str, str]:
    return {Path(each.place).name: each.reason for each in read_all(*given) if isinstance(each, Unreadable)}


def types(*given: Path | str) -> dict[str, str]:
    return {each.document_id: each.content_type for each in read_all(*given) if isinstance(each, Readable)}


def test_an_id_is_the_path_within_the_folder_and_the_name_of_a_single_file(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "deep.MD").write_text("x", "utf-8")
    (tmp_path / "a" / "note.txt").write_text("x", "utf-8")
    assert types(tmp_path / "a") == {"note.txt": "text/plain", "b/deep.MD": "text/markdown"}
    assert types(tmp_path / "a" / "b" / "deep.MD") == {"deep.MD": "text/markdown"}


def test_what_is_hidden_or_of_another_kind_is_passed_over_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.md").write_text("x", "utf-8")
    (tmp_path / ".draft.md").write_text("x", "utf-8")
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    (tmp_path / "real.md").write_text("x", "utf-8")
    assert types(tmp_path) == {"real.md": "text/markdown"}
    assert reasons(tmp_path) == {}


def test_a_file_of_another_kind_that_is_named_is_refused(tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    assert "no document by its ending" in reasons(tmp_path / "image.png")["image.png"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"ok \xff", "byte 3 cannot be read"),
        (b"x" * (MAX_TEXT_BYTES + 1), f"{MAX_TEXT_BYTES + 1} bytes, the limit is {MAX_TEXT_BYTES}"),
    ],
    ids=["empty", "blank", "not UTF-8", "too large"],
)
def test_a_file_that_is_no_document_says_why(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "x.md").write_bytes(content)
    assert says in reasons(tmp_path)["x.md"]


def test_a_device_or_a_pipe_behind_the_name_of_a_document_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "endless.txt").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "unwritten.md")
    assert set(reasons(tmp_path).values()) == {"no regular file: save it as one"}


def test_a_name_that_is_no_text_keeps_only_its_own_file_back(tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/bad\xff.md")).write_text("x", "utf-8")
    (tmp_path / "good.md").write_text("x", "utf-8")
    assert types(tmp_path) == {"good.md": "text/markdown"}
    (reason,) = reasons(tmp_path).values()
    assert "rename it" in reason


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("http://[bad/x.html", "no address"),
        ("file:///etc/passwd", "file is not fetched"),
        ("ftp://example.org/x.txt", "ftp is not fetched"),
    ],
)
def test_an_address_that_cannot_be_one_says_so(given: str, says: str) -> None:
    (found,) = read_all(given)
    assert isinstance(found, Unreadable)
    assert says in found.reason


def test_a_name_is_shown_without_what_would_steer_a_terminal() -> None:
    assert printable("docs/\x1b[2J\nweir \udcff é.md") == "docs/\\x1b[2J\\nweir \\udcff é.md"


def test_a_path_that_is_not_there_or_holds_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    found = reasons(tmp_path / "void", tmp_path / "nowhere", tmp_path / "nothing.md")
    assert "no document in it" in found["void"]
    assert "No such file" in found["nowhere"]
    assert "No such file" in found["nothing.md"]


def test_two_files_never_share_an_id(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "README.md").write_text(folder, "utf-8")
    found = read_all(tmp_path / "a", tmp_path / "b")
    assert [type(item) for item in found] == [Readable, Unreadable]


def test_a_pattern_finds_what_fits_and_ids_begin_where_its_wildcards_do(tmp_path: Path) -> None:
    (tmp_path / "docs" / "deep").mkdir(parents=True)
    for name in ("docs/a.pdf", "docs/deep/b.pdf", "docs/deep/c.md", "docs/deep/d.png"):
        (tmp_path / name).write_bytes(b"x")
    pdf = "application/pdf"
    assert types(f"{tmp_path}/docs/**/*.pdf") == {"a.pdf": pdf, "deep/b.pdf": pdf}
    assert set(types(f"{tmp_path}/*/deep/*")) == {"docs/deep/b.pdf", "docs/deep/c.md"}
    assert "no document in it" in reasons(f"{tmp_path}/docs/*.html")["*.html"]


def test_a_file_whose_name_has_brackets_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "notes [old].md").write_text("x", "utf-8")
    assert types(tmp_path / "notes [old].md") == {"notes [old].md": "text/markdown"}


@pytest.mark.parametrize(
    ("url", "document_id"),
    [
        ("https://example.org/guide/weir.html", "example.org/guide/weir.html"),
        ("https://user:word@example.org", "example.org/index.html"),
        ("http://example.org/a%20b.pdf?v=2", "example.org/a b.pdf?v=2"),
    ],
)
def test_an_address_is_named_by_host_and_path_and_never_by_its_password(url: str, document_id: str) -> None:
    (found,) = find_all([url])
    assert found.document_id == document_id
