"""A disk that forgets: what may be left of a folder when the power goes, at every moment and in every order.

`record_calls` notes each call with which the program changes files. `derive_remains` replays them up to any point on a
model of the disk: the content of a file survives as far as it was forced; a name that was made, changed or removed
survives for sure once its folder was forced, and before that perhaps, whether or not the one before it did.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

Remains = Mapping[Path, bytes]


@dataclass
class Calls:
    """The calls in their order; `before` is what the disk held before the first of them."""

    before: dict[Path, bytes]
    noted: list[tuple[str, Any, Any]] = field(default_factory=list)


def read_folder(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextlib.contextmanager
def record_calls(folder: Path) -> Iterator[Calls]:
    """Note every call below `folder` until the block ends; all of them really happen."""
    calls = Calls(read_folder(folder))
    opened: dict[int, Path] = {}
    real = {name: getattr(os, name) for name in ("open", "write", "ftruncate", "fsync", "replace", "unlink", "close")}

    def note_open(path: Any, flags: int, *more: Any, **named: Any) -> int:
        descriptor: int = real["open"](path, flags, *more, **named)
        opened[descriptor] = Path(path)
        if flags & os.O_CREAT:
            calls.noted.append(("create", Path(path), None))
        return descriptor

    def note_write(descriptor: int, data: Any) -> int:
        written: int = real["write"](descriptor, data)
        if descriptor in opened:
            calls.noted.append(("write", opened[descriptor], bytes(data[:written])))
        return written

    def note_truncate(descriptor: int, length: int) -> None:
        real["ftruncate"](descriptor, length)
        calls.noted.append(("truncate", opened[descriptor], length))

    def note_sync(descriptor: int) -> None:
        real["fsync"](descriptor)
        calls.noted.append(("sync", opened[descriptor], None))

    def note_replace(old: Any, new: Any, **named: Any) -> None:
        real["replace"](old, new, **named)
        opened.update({descriptor: Path(new) for descriptor, path in opened.items() if path == Path(old)})
        calls.noted.append(("replace", Path(old), Path(new)))

    def note_unlink(path: Any, **named: Any) -> None:
        real["unlink"](path, **named)
        calls.noted.append(("unlink", Path(path), None))

    def note_close(descriptor: int) -> None:
        opened.pop(descriptor, None)
        real["close"](descriptor)

    ours: dict[str, Callable[..., Any]] = {
        "open": note_open,
        "write": note_write,
        "ftruncate": note_truncate,
        "fsync": note_sync,
        "replace": note_replace,
        "unlink": note_unlink,
        "close": note_close,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, function in ours.items():
            patch.setattr(os, name, function)
        yield calls


@dataclass
class _File:
    content: bytes
    forced: bytes


def derive_remains(calls: Calls, end: int) -> Iterator[tuple[str, Remains]]:
    """What the disk may hold if the power goes after the first `end` calls, each with a word on how it came about."""
    now: dict[Path, _File] = {path: _File(content, content) for path, content in calls.before.items()}
    certain: dict[Path, _File] = dict(now)
    pending: list[tuple[Path, tuple[str, Path, Path | None], _File | None]] = []
    for kind, path, more in calls.noted[:end]:
        match kind:
            case "create":
                now[path] = _File(b"", b"")
                pending.append((path.parent, ("set", path, None), now[path]))
            case "write":
                now[path].content += more
            case "truncate":
                now[path].content = now[path].content[:more]
            case "sync" if path in now:
                now[path].forced = now[path].content
            case "sync":
                for folder, change, file in pending:
                    if folder == path:
                        _apply(certain, change, file)
                pending = [item for item in pending if item[0] != path]
            case "replace":
                now[more] = now.pop(path)
                pending.append((path.parent, ("move", path, more), now[more]))
            case "unlink":
                del now[path]
                pending.append((path.parent, ("drop", path, None), None))
    choices = {"none": [], "all": pending} | {f"only {n}": [item] for n, item in enumerate(pending)}
    choices |= {f"first {n}": pending[:n] for n in range(1, len(pending))}
    for word, chosen in choices.items():
        names = dict(certain)
        for _, change, file in chosen:
            _apply(names, change, file)
        yield f"{word}, forced", {path: file.forced for path, file in names.items()}
        yield f"{word}, torn", {path: _tear(file) for path, file in names.items()}


def _apply(names: dict[Path, _File], change: tuple[str, Path, Path | None], file: _File | None) -> None:
    kind, path, target = change
    if kind == "drop":
        names.pop(path, None)
        return
    assert file is not None
    if kind == "move":
        names.pop(path, None)
        assert target is not None
        path = target
    names[path] = file


def _tear(file: _File) -> bytes:
    """Of what was not forced, the first half came to the disk, and zeros for the rest."""
    if file.forced == file.content:
        return file.content
    half = len(file.content) // 2
    return file.content[:half] + bytes(len(file.content) - half)


def restore(folder: Path, remains: Remains) -> None:
    """Make the folder hold exactly this."""
    for path in read_folder(folder):
        path.unlink()
    for path, content in remains.items():
        path.write_bytes(content)
