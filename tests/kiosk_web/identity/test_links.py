"""Which number may be linked to whom, and what staff must say for it."""

from __future__ import annotations

import pytest

from kiosk_web.identity.links import (
    Standing,
    derive_link_tag,
    judge_link,
    judge_system,
    judge_words,
    mask_number,
)
from kiosk_web.identity.systems import CooperatingSystem, LinkHolder, Words


@pytest.mark.parametrize(
    ("standing", "refusal"),
    [
        (Standing(None, None, None), None),
        (Standing(True, None, None), None),
        (Standing(False, None, None), "number_not_listed"),
        (Standing(False, "me", "1001"), "number_not_listed"),
        (Standing(True, "me", "1001"), "already_linked"),
        (Standing(True, "other", None), "number_taken"),
        (Standing(True, "other", "1001"), "number_taken"),
        (Standing(True, "other", "1002"), "number_taken"),
        (Standing(True, "me", "1002"), "number_taken"),
        (Standing(True, None, "1002"), "person_has_another"),
        (Standing(None, None, "1001"), "person_has_another"),
    ],
)
def test_one_person_has_one_number_and_no_link_is_moved_silently(standing: Standing, refusal: str | None) -> None:
    assert judge_link("me", "1001", standing) == refusal


@pytest.mark.parametrize(("holder", "refusal"), [("platform", None), ("municipality", "links_kept_elsewhere")])
def test_links_are_kept_only_for_systems_that_leave_them_here(holder: LinkHolder, refusal: str | None) -> None:
    assert judge_system(CooperatingSystem("hall", Words("あ", "a"), holder)) == refusal
    assert judge_system(None) == "system_unknown"


@pytest.mark.parametrize(
    ("by", "reason", "refusal"),
    [
        ("青葉", "申請書", None),
        ("a" * 200, "r" * 200, None),
        ("青葉　みどり", "紛失　本人の申出", None),
        ("client-facing desk", "r", None),
        ("Client desk", "r", None),
        ("client portal", "r", "name_missing"),
        ("ｃｌｉｅｎｔ　portal", "r", "name_missing"),
        ("", "申請書", "name_missing"),
        ("　", "申請書", "name_missing"),
        (" ", "申請書", "name_missing"),
        ("a\nb", "申請書", "name_missing"),
        ("a" * 201, "申請書", "name_missing"),
        ("青葉", "", "reason_missing"),
        ("青葉", " ", "reason_missing"),
        ("青葉", "a\tb", "reason_missing"),
        ("青葉", "a\u2028b", "reason_missing"),
        ("青葉", "r" * 201, "reason_missing"),
    ],
)
def test_who_and_why_are_one_line_each(by: str, reason: str, refusal: str | None) -> None:
    assert judge_words(by, reason) == refusal


def test_a_tag_changes_with_row_version_and_person_and_tells_none_of_them() -> None:
    tags = {derive_link_tag(link, version, person) for link in (1, 11) for version in (1, 11) for person in "pq"}
    assert len(tags) == 8
    assert all(len(tag) == 22 and "=" not in tag for tag in tags)
    assert derive_link_tag(1, 2, "p") == derive_link_tag(1, 2, "p")


@pytest.mark.parametrize(
    ("number", "shown"), [("1234567890", "•••••••890"), ("1234", "•234"), ("123", "123"), ("12", "12"), ("", "")]
)
def test_others_see_the_last_three_signs_at_most(number: str, shown: str) -> None:
    assert mask_number(number) == shown
