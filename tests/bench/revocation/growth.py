"""How taking a list in and looking up in it grow with its size: a picture for `docs/benchmarks.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from tests.bench.revocation.imports import Import, show_count
from tests.bench.revocation.look_ups import LookUps

PICTURE = "crl-growth.svg"

_INK = "#7d8590"
"""Grey that can be read on white and on near-black; the ground is left out."""

_COLOURS = {"cryptography": "#d1622b", "openssl": "#b8860b", "kiosk": "#2f81f7", "floor": _INK}
_MARKERS = {"cryptography": "s", "openssl": "^", "kiosk": "o", "floor": "D"}

_STYLE = {
    "svg.hashsalt": "crl-growth",  # else the names of its parts are made anew each time
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
}

Line = tuple[str, Sequence[tuple[int, float]]]
"""What it is called in the legend, and its points."""


def draw_growth(path: Path, imports: Sequence[Import], look_ups: Sequence[LookUps]) -> None:
    """Both axes are logarithmic: what grows with the list rises, what does not lies flat."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9, 4))
        load, find = figure.subplots(1, 2)
        sizes = [one.entries for one in imports]
        _draw(
            load,
            "taking a list in",
            sizes,
            {
                "cryptography": ("cryptography", _pick(imports, "cryptography")),
                "openssl": ("openssl crl", _pick(imports, "openssl")),
                "kiosk": ("kiosk", _pick(imports, "kiosk")),
                "floor": ("SHA-256 of the file", _pick(imports, "SHA-256")),
            },
        )
        _draw(
            find,
            "one look-up",
            sizes,
            {
                "cryptography": (
                    "cryptography",
                    [(one.entries, one.seconds["cryptography"]) for one in look_ups if "cryptography" in one.seconds],
                ),
                "kiosk": ("kiosk", [(one.entries, one.slower) for one in look_ups]),
                "floor": ("bisect on a bare array", [(one.entries, one.seconds["bisect"]) for one in look_ups]),
            },
        )
        figure.tight_layout()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", transparent=True, metadata={"Date": None, "Creator": None})


def _pick(imports: Sequence[Import], name: str) -> list[tuple[int, float]]:
    return [(one.entries, one.seconds[name].median) for one in imports if name in one.seconds]


def _draw(axes: Axes, title: str, sizes: Sequence[int], lines: Mapping[str, Line]) -> None:
    for name, (label, points) in lines.items():
        x, y = zip(*points, strict=True)
        axes.plot(x, y, label=label, color=_COLOURS[name], marker=_MARKERS[name], linewidth=2)
    axes.set(title=title, xscale="log", yscale="log", xlabel="entries")
    axes.set_xticks(sizes, [show_count(size) for size in sizes])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: _show_decade(seconds)))
    axes.minorticks_off()
    axes.grid(True, color=_INK, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def _show_decade(seconds: float) -> str:
    """1 ms, 10 µs."""
    for unit, name in ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")):
        if seconds >= 0.999 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0e} s"
