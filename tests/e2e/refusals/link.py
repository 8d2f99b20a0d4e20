"""A number of the library that is typed to be linked."""

from __future__ import annotations

from tests.e2e.refusals.stand import LINKED, Stand, Story


def type_number(stand: Stand, *, before_it: str = "") -> None:
    """`before_it`: a statement that runs while the number is being typed."""
    stand.page.locator("#link").click()
    stand.kiosk.wait_for("entering_number")
    if before_it:
        stand.write(before_it)
    stand.page.keyboard.type("2026041844")
    stand.page.locator("#number-confirm").click()


def have_unlisted_number(stand: Stand) -> None:
    stand.identify(LINKED, "library")
    stand.write("INSERT INTO valid_numbers VALUES ('city-library', '2026041851')")
    type_number(stand)


def have_number_of_another(stand: Stand) -> None:
    stand.identify(LINKED, "library")
    stand.write("INSERT INTO persons (id, created_at) VALUES ('other', '2026-01-01 00:00:00.000000')")
    stand.write(
        "INSERT INTO links (system, person_id, user_number, state, way, linked_at)"
        " VALUES ('city-library', 'other', '2026041844', 'active', 'desk', '2026-01-01 00:00:00.000000')"
    )
    type_number(stand)


def be_forgotten(stand: Stand) -> None:
    """Half an hour later nobody knows any more who was here."""
    stand.identify(LINKED, "library")
    type_number(stand, before_it="DELETE FROM recent_visits")


STORIES: dict[str, Story] = {
    "link_number_unknown": have_unlisted_number,
    "link_number_taken": have_number_of_another,
    "link_not_possible": be_forgotten,
}
