"""No two things on a screen lie on each other, in windows of any shape: those between upright and lying, too."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.e2e.test_screens import LOST, PATTERNS, RENDERER, SHOWN, SMALL, find_wrong, serve, show, show_all

pytestmark = [pytest.mark.e2e, pytest.mark.long]

# What one touches, and the words outside of it; a line of words reaches a fifth beyond its letters above and below.
# Told are pairs that share some pixels, and what begins or ends outside of the window.
OVERLAPS = """
() => {
  const found = [], parts = [], stage = document.getElementById("stage");
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(".spoken");
  for (const element of document.querySelectorAll("#stage :is(button, a, input), .ribbon")) {
    if (!isShown(element)) continue;
    parts.push({ name: element.id || element.className, element, boxes: [element.getBoundingClientRect()] });
  }
  const nodes = document.createTreeWalker(stage, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    const words = nodes.currentNode, element = words.parentElement;
    if (!words.data.trim() || !isShown(element) || element.closest("button, a, input")) continue;
    const range = document.createRange();
    range.selectNodeContents(words);
    const boxes = [...range.getClientRects()].map(({ left, right, top, bottom, height }) =>
      ({ left, right, top: top + height / 5, bottom: bottom - height / 5 }));
    parts.push({ name: `"${words.data.trim().slice(0, 12)}"`, element, boxes });
  }
  const meet = (a, b) =>
    a.left < b.right - 2 && b.left < a.right - 2 && a.top < b.bottom - 2 && b.top < a.bottom - 2;
  const leaves = (box) => box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
  parts.forEach((one, index) => {
    if (one.boxes.some(leaves)) found.push(`${one.name} outside`);
    for (const other of parts.slice(index + 1)) {
      if (one.element.contains(other.element) || other.element.contains(one.element)) continue;
      if (one.boxes.some((box) => other.boxes.some((it) => meet(box, it)))) found.push(`${one.name} on ${other.name}`);
    }
  });
  return found;
}
"""


@pytest.fixture
def screen(page: Page) -> Page:
    serve(page, RENDERER.render_page(PATTERNS["connecting"], live=False))
    return page


# the last: the narrow window of a counter on a screen of 1366×768, above a panel
@pytest.mark.parametrize(("width", "height"), [(900, 900), (1024, 768), (768, 1024), (420, 728)])
def test_nothing_lies_on_something_else_in_a_window_of_any_shape(screen: Page, width: int, height: int) -> None:
    screen.set_viewport_size({"width": width, "height": height})
    judges = [OVERLAPS, LOST, *([SMALL] if width <= 480 else [])]
    assert find_wrong(screen, show_all(SHOWN, ["extra"]), *judges) == {}


def test_a_button_on_another_and_words_under_a_button_would_be_told(screen: Page) -> None:
    show(screen, "awaiting_card")
    assert screen.evaluate(OVERLAPS) == []
    screen.evaluate(
        "document.getElementById('terms-open').style.cssText = 'position: fixed; inset: auto 0 0 0; height: 9rem'"
    )
    assert {"stop on terms-open", "terms-open on help"} <= set(screen.evaluate(OVERLAPS))
