"""One style sheet of many, as a browser gets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kiosk_web.web.render import STATIC
from kiosk_web.web.style_sheet import ADDRESS, SUBJECTS, build_style_route, build_style_sheet


@pytest.fixture
def browser() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[build_style_route(STATIC)])) as client:
        yield client


def test_every_subject_is_in_it_once() -> None:
    assert sorted(SUBJECTS) == sorted(path.stem for path in (STATIC / "kiosk").iterdir())
    joined = build_style_sheet(STATIC)
    assert all(joined.count(path.read_text(encoding="utf-8")) == 1 for path in (STATIC / "kiosk").iterdir())


def test_the_order_is_that_of_the_subjects(tmp_path: Path) -> None:
    (tmp_path / "kiosk").mkdir()
    for name in SUBJECTS:
        (tmp_path / "kiosk" / f"{name}.css").write_text(f"/* {name} */", encoding="utf-8")
    assert build_style_sheet(tmp_path).split("\n") == [f"/* {name} */" for name in SUBJECTS]


def test_a_browser_that_has_it_is_told_so(browser: TestClient) -> None:
    first = browser.get(ADDRESS)
    assert (first.status_code, first.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert first.text == build_style_sheet(STATIC)
    again = browser.get(ADDRESS, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.text, again.headers["etag"]) == (304, "", first.headers["etag"])
    assert browser.get(ADDRESS, headers={"If-None-Match": '"another"'}).status_code == 200
