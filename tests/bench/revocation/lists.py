"""The lists that are taken in: big ones of the whole CA, and many small ones of municipalities."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk_web.adapters.store.migration import migrate
from tests.bench.revocation.specimens import name_town
from tests.support.crl_writer import ListShape, encode_point, write_list
from tests.support.jpki import Root, build_root


@dataclass(frozen=True)
class BigList:
    """One list with the serial numbers `derive_serials(0, entries)`."""

    path: Path
    entries: int

    @property
    def size(self) -> int:
        return self.path.stat().st_size


@dataclass
class ListFolder:
    """Lists on the disk, and the root that signed them, as DER and PEM."""

    folder: Path
    root: Root = field(default_factory=build_root)
    big: dict[int, BigList] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.der.write_bytes(self.root.der)
        self.pem.write_bytes(self.root.certificate.public_bytes(Encoding.PEM))

    @property
    def der(self) -> Path:
        return self.folder / "root.der"

    @property
    def pem(self) -> Path:
        return self.folder / "root.pem"

    def make_data(self, name: str) -> Path:
        """A new data folder, with a database in which nothing is remembered yet."""
        empty = self.folder / "data-empty"
        if not empty.exists():
            migrate(empty)
        return Path(shutil.copytree(empty, self.folder / name))

    def write_big(self, entries: int) -> BigList:
        """A list of the whole CA; written once."""
        if entries not in self.big:
            path = self.folder / f"{entries}.crl"
            write_list(path, self.root, entries)
            self.big[entries] = BigList(path, entries)
        return self.big[entries]

    def write_towns(self, towns: int, total: int) -> list[Path]:
        """So many lists of so many entries altogether: a few large ones and many small ones, as municipalities are."""
        folder = self.folder / "towns"
        folder.mkdir()
        paths, first = [], 0
        for town, entries in enumerate(split_by_size(total, towns)):
            paths.append(folder / f"{town:04}.crl")
            write_list(paths[-1], self.root, entries, shape=_shape_town(town), first=first)
            first += entries
        return paths

    def write_next(self, town: int, entries: int) -> Path:
        """The next list of a town: one number higher, an hour later."""
        path = self.folder / f"next-{town:04}.crl"
        shape = _shape_town(town)
        later = replace(shape, number=(shape.number or 0) + 1, this_update=shape.this_update + timedelta(hours=1))
        write_list(path, self.root, entries, shape=later)
        return path


def _shape_town(town: int) -> ListShape:
    return ListShape(point=encode_point([x509.DirectoryName(name_town(town))]))


def split_by_size(total: int, parts: int) -> list[int]:
    """Falling sizes with the sum `total`: the n-th in proportion to 1 / (n + 10), the largest about a fiftieth."""
    weights = [1 / (place + 10) for place in range(parts)]
    sizes = [max(1, int(total * weight / sum(weights))) for weight in weights]
    sizes[0] += total - sum(sizes)
    return sizes
