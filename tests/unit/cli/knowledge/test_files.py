from pathlib import Path

import pytest

from headrace.cli.knowledge.files import MAX_BYTES, Readable, Unreadable, read_all


def reasons(*paths: Path) -> dict[str, str]:
    return {found.path.name: found.reason for found in read_all(paths) if isinstance(found, Unreadable)}


def read(*paths: Path) -> dict[str, str]:
    return {found.document_id: found.content_type for found in read_all(paths) if isinstance(found, Readable)}


def test_an_id_is_the_path_within_the_folder_and_the_name_of_a_single_file(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "deep.MD").write_text("x", "utf-8")
    (tmp_path / "a" / "note.txt").write_text("x", "utf-8")
    assert read(tmp_path / "a") == {"note.txt": "text/plain", "b/deep.MD": "text/markdown"}
    assert read(tmp_path / "a" / "b" / "deep.MD") == {"deep.MD": "text/markdown"}


def test_what_is_hidden_or_of_another_kind_is_passed_over_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.md").write_text("x", "utf-8")
    (tmp_path / ".draft.md").write_text("x", "utf-8")
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    (tmp_path / "real.md").write_text("x", "utf-8")
    assert read(tmp_path) == {"real.md": "text/markdown"}
    assert reasons(tmp_path) == {}


def test_a_file_of_another_kind_that_is_named_is_refused(tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    assert "neither Markdown nor text" in reasons(tmp_path / "image.png")["image.png"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"ok \xff", "byte 3 cannot be read"),
        (b"x" * (MAX_BYTES + 1), f"{MAX_BYTES + 1} bytes, the limit is {MAX_BYTES}"),
    ],
    ids=["empty", "blank", "not UTF-8", "too large"],
)
def test_a_file_that_is_no_document_says_why(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "x.md").write_bytes(content)
    assert says in reasons(tmp_path)["x.md"]


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
    found = list(read_all([tmp_path / "a", tmp_path / "b"]))
    assert [type(item) for item in found] == [Readable, Unreadable]


def test_a_byte_order_mark_is_no_part_of_the_document(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_bytes(b"\xef\xbb\xbf# Title")
    assert [item.content for item in read_all([tmp_path]) if isinstance(item, Readable)] == ["# Title"]
