"""Where the narrow window lies."""

from __future__ import annotations

import pytest

from bridge.errors import SettingsError
from bridge.window.strip import Area, Side, build_strip, build_strut

FREE = Area(0, 27, 1920, 1013)  # a panel above, one below


@pytest.mark.parametrize(
    ("side", "strip", "strut"),
    [
        ("right", Area(1500, 27, 420, 1013), [0, 420, 0, 0, 0, 0, 27, 1039, 0, 0, 0, 0]),
        ("left", Area(0, 27, 420, 1013), [420, 0, 0, 0, 27, 1039, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_the_strip_is_as_high_as_the_free_area_and_keeps_maximised_windows_away(
    side: Side, strip: Area, strut: list[int]
) -> None:
    assert build_strip(FREE, side, 420) == strip
    assert build_strut(strip, side, 1920) == strut


def test_beside_a_panel_at_the_same_edge_the_strut_counts_from_the_edge_of_the_screen() -> None:
    strip = build_strip(Area(64, 0, 1856, 1080), "left", 360)
    assert strip == Area(64, 0, 360, 1080)
    assert build_strut(strip, "left", 1920)[0] == 424


@pytest.mark.parametrize("width", [359, 481])
def test_only_the_widths_for_which_the_page_has_its_narrow_form(width: int) -> None:
    with pytest.raises(SettingsError, match="between 360 and 480"):
        build_strip(FREE, "right", width)


@pytest.mark.parametrize("free", [Area(0, 0, 800, 768), Area(0, 0, 1366, 719)], ids=["narrow", "low"])
def test_a_screen_without_room_for_both_is_refused(free: Area) -> None:
    with pytest.raises(SettingsError, match="second screen"):
        build_strip(free, "right", 420)


def test_the_screen_of_an_old_counter_pc_has_room_above_its_panel() -> None:
    assert build_strip(Area(0, 0, 1366, 728), "right", 420) == Area(946, 0, 420, 728)
