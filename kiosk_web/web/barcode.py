"""A user number as a barcode in the page: SVG without a style and without an address, as the strict policy wants. PURE.

The bars come from python-barcode and segno; here they become one path of whole modules with the quiet zone that readers
need (ISO/IEC 16388 for Code 39, EN 798 for Codabar: ten modules; ISO/IEC 18004 for QR: four).
"""

from __future__ import annotations

from typing import Literal

import segno
from barcode.codabar import CODABAR
from barcode.codex import Code39
from barcode.errors import BarcodeError
from markupsafe import Markup, escape

BarcodeKind = Literal["nw7", "code39", "qr"]
NARROW, WIDE = 2, 5  # the wide bars of Codabar and Code 39 are two and a half times the narrow ones
QUIET_MODULES, QUIET_CELLS = 10 * NARROW, 4
HEIGHT_TO_WIDTH = 0.28


class BarcodeUnfit(ValueError):
    """This kind has no sign for a character of the number. The number is not quoted."""

    def __init__(self, kind: BarcodeKind) -> None:
        super().__init__(f"{kind} cannot hold this number")


def build_barcode(kind: BarcodeKind, number: str, label: str, *, start: str = "A", stop: str = "A") -> Markup:
    """`<svg>` of the number. `start` and `stop` are Codabar's letters; `label` is read aloud. Raises
    `BarcodeUnfit`.
    """
    if kind == "qr":
        return _draw_cells(number, label)
    return _draw_bars(_build_modules(kind, number, start, stop), label)


def _build_modules(kind: BarcodeKind, number: str, start: str, stop: str) -> str:
    """`1` for each dark module, `0` for each light one."""
    try:
        if kind == "nw7":
            bars = CODABAR(f"{start}{number}{stop}", narrow=NARROW, wide=WIDE)
            return str(bars.build()[0])
        if not number.isupper() and not number.isdigit():
            raise BarcodeUnfit(kind)  # the package would capitalise letters unasked
        return str(Code39(number, add_checksum=False).build()[0])
    except (BarcodeError, KeyError):
        raise BarcodeUnfit(kind) from None


def _draw_bars(modules: str, label: str) -> Markup:
    width = len(modules) + 2 * QUIET_MODULES
    height = max(40, round(width * HEIGHT_TO_WIDTH))
    path, at = [], 0
    while at < len(modules):
        run = len(modules[at:]) - len(modules[at:].lstrip(modules[at]))
        if modules[at] == "1":
            path.append(f"M{QUIET_MODULES + at} 0h{run}v{height}h-{run}z")
        at += run
    return _draw(width, height, "".join(path), label)


def _draw_cells(number: str, label: str) -> Markup:
    rows = [bytes(row) for row in segno.make_qr(number, error="m").matrix]
    size = len(rows) + 2 * QUIET_CELLS
    path = [
        f"M{QUIET_CELLS + x} {QUIET_CELLS + y}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, dark in enumerate(row)
        if dark
    ]
    return _draw(size, size, "".join(path), label)


def _draw(width: int, height: int, path: str, label: str) -> Markup:
    return Markup(  # noqa: S704 - digits of our own, and a label that is escaped
        f'<svg class="barcode" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}" '
        f'shape-rendering="crispEdges" preserveAspectRatio="xMidYMid meet">'
        f'<rect width="{width}" height="{height}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    )
