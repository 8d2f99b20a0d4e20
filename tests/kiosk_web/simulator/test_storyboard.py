"""What counts as reached: what is seen, and nothing else."""

from __future__ import annotations

import pytest

from kiosk_web.simulator.people import derive_people
from kiosk_web.simulator.storyboard import (
    OUTAGE,
    STEPS,
    TRIO,
    Progress,
    Scene,
    Terminal,
    choose_person,
    derive_progress,
    is_at_home,
)
from tests.kiosk_web.simulator.test_people import NOW

WAITING = Scene((Terminal("choosing_service"),))


def watch(*scenes: Scene) -> Progress:
    progress = Progress()
    for scene in scenes:
        progress = derive_progress(progress, scene)
    return progress


def tap(*, attended: bool = True, scanned: int = 1) -> Scene:
    return Scene((Terminal("result", method="kazashi", attended=attended),), scanned=scanned, placed="midori")


def test_there_are_ten_steps_that_say_what_to_do() -> None:
    assert [step.number for step in STEPS] == list(range(1, 11))
    assert all(step.do_ja and step.do_en for step in STEPS)


def test_a_card_goes_home_once_its_part_at_the_counter_was_seen() -> None:
    before, after = Progress(), Progress(reached=frozenset(range(1, 11)))
    assert [step.number for step in STEPS if is_at_home(step, before)] == []
    assert [step.number for step in STEPS if is_at_home(step, after)] == [6, 7]
    assert STEPS[5].person == STEPS[4].person, "who was registered at the counter signs in at home"


def test_who_is_put_on_the_reader_is_one_of_the_people() -> None:
    known = {person.id for person in derive_people(NOW)}
    assert {step.person for step in STEPS} - {""} <= known | {"copied-card"}
    assert set(TRIO.values()) <= known


def test_nothing_is_reached_while_nothing_happens() -> None:
    assert watch(WAITING, Scene(), WAITING).reached == frozenset()


@pytest.mark.parametrize(
    ("scene", "step"),
    [
        (Scene(links=1), 1),
        (Scene(known=1), 6),
        (Scene((Terminal("refused", code="signature_mismatch"),), placed="copied-card"), 4),
        (Scene((Terminal("result", signature="revoked"),), placed="nagisa"), 7),
        (Scene((Terminal("refused", code="status_unavailable"),), ocsp=OUTAGE), 8),
        (Scene((Terminal("awaiting_card", help_called=True),)), 10),
    ],
)
def test_one_sight_reaches_its_step_alone(scene: Scene, step: int) -> None:
    assert watch(WAITING, scene).reached == {step}


@pytest.mark.parametrize(
    "scene",
    [
        Scene((Terminal("refused", code="signature_mismatch"),), placed="midori"),
        Scene((Terminal("refused", code="card_swapped"),), placed="copied-card"),
        Scene((Terminal("result", signature="valid"),), placed="nagisa"),
        Scene((Terminal("refused", code="status_unavailable"),)),
        Scene((Terminal("refused", code="certificate_revoked"),), ocsp=OUTAGE),
    ],
)
def test_what_only_looks_alike_reaches_nothing(scene: Scene) -> None:
    assert watch(WAITING, scene).reached == frozenset()


def test_a_tap_counts_when_it_was_attended_and_the_number_arrived() -> None:
    assert watch(WAITING, tap(scanned=0), tap()).reached == {2}
    assert watch(WAITING, tap(attended=False)).reached == frozenset()
    assert watch(Scene(scanned=1), tap(scanned=1)).reached == frozenset()


def test_unattended_the_same_card_is_asked_for_its_pin() -> None:
    asked = Scene((Terminal("awaiting_pin"),), placed="midori", scanned=1)
    assert watch(asked).reached == frozenset()
    assert watch(WAITING, tap(), asked).reached == {2, 3}


def test_all_three_conditions_are_wanted_and_the_missing_one_is_prepared() -> None:
    ninth = STEPS[8]
    progress = Progress()
    for name, person in TRIO.items():
        assert choose_person(ninth, progress) == person
        assert 9 not in progress.reached
        seen = Terminal("result", expires_soon=True) if name == "expires_soon" else Terminal("refused", code=name)
        progress = derive_progress(progress, Scene((seen,)))
    assert 9 in progress.reached
