"""A barcode's SVG as pixels, drawn from what stands in it, for an independent decoder to read."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

_BOX = re.compile(r'viewBox="0 0 (\d+) (\d+)"')
_PATH = re.compile(r'<path d="([^"]*)"')
_BAR = re.compile(r"M(\d+) (\d+)h(\d+)v(\d+)h-\d+z")


def draw(svg: str, scale: int = 4) -> npt.NDArray[np.uint8]:
    """Grey values, 0 for black; every bar of the path, and nothing else."""
    box, path = _BOX.search(svg), _PATH.search(svg)
    assert box is not None
    assert path is not None
    picture = np.full((int(box[2]) * scale, int(box[1]) * scale), 255, np.uint8)
    assert _BAR.sub("", path[1]) == ""
    for x, y, width, height in (map(int, bar.groups()) for bar in _BAR.finditer(path[1])):
        picture[y * scale : (y + height) * scale, x * scale : (x + width) * scale] = 0
    return picture
