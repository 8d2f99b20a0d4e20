"""連携登録: which user number of a cooperating system belongs to a person. PURE.

One person has one number in a system and one number one person, as long as the link is active.
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

from kiosk_web.identity.systems import CooperatingSystem
from kiosk_web.identity.words import is_line

LinkState = Literal["active", "ended"]
LinkWay = Literal["terminal", "desk", "command", "file", "api"]
LinkRefusal = Literal[
    "system_unknown",
    "links_kept_elsewhere",
    "number_malformed",
    "number_check_digit",
    "number_not_listed",
    "number_taken",
    "person_has_another",
    "already_linked",
    "not_linked",
    "visit_unknown",
    "visit_of_another_system",
    "identifier_unknown",
    "kazashi_not_registered",
    "reason_missing",
    "name_missing",
    "look_up_limit",
]
LINK_REFUSALS: tuple[LinkRefusal, ...] = get_args(LinkRefusal)
"""Each with words for staff under `link.refused.<name>`, and in `docs/linking.md`."""

MOST_REASON = 200
CLIENT_PREFIX = "client "
"""What the staff audit puts before the name of a client of the API; no member of staff is called so."""
RESIDENT = "resident"
"""Who stands in the staff audit for what nobody of the staff has done; no member of staff is called so either."""
LOOK_UPS = ("look_up", "unlink", "end_kazashi", "relink", "confirm")
"""Actions of the staff audit whose answer tells whether a number is linked; so does that of a link that was refused."""
LOOK_UP_WINDOW = timedelta(minutes=10)
LOOK_UPS_OF_ONE = 30
LOOK_UPS_OF_ALL = 300
"""In `LOOK_UP_WINDOW`: far more than a counter needs, far less than trying out numbers does."""


@dataclass(frozen=True)
class Standing:
    """What is known before a link is made: is the number on the system's list, whose is it, and what has the person.

    `listed`: None where the system has no list of valid numbers. `owner` is the person who has the number now, `own`
    the number that the person has now.
    """

    listed: bool | None
    owner: str | None
    own: str | None


def judge_link(person: str, number: str, standing: Standing) -> LinkRefusal | None:
    """May this number be linked to this person? None: yes. No link is moved silently: who has one unlinks first."""
    if standing.listed is False:
        return "number_not_listed"
    if standing.owner == person and standing.own == number:
        return "already_linked"
    if standing.owner is not None:
        return "number_taken"
    if standing.own is not None:
        return "person_has_another"
    return None


def judge_system(system: CooperatingSystem | None) -> LinkRefusal | None:
    """May links of this system be kept here (row 13 of the profiles' table)?"""
    if system is None:
        return "system_unknown"
    return None if system.link_holder == "platform" else "links_kept_elsewhere"


def judge_words(by: str, reason: str) -> LinkRefusal | None:
    """Who does it and why must be told in one line each."""
    name = unicodedata.normalize("NFKC", by).strip()
    if not name or not _is_line(by) or name.startswith(CLIENT_PREFIX) or _fold(by) == RESIDENT:
        return "name_missing"
    return None if reason.strip() and _is_line(reason) else "reason_missing"


def judge_look_ups(names: Sequence[str], by: str) -> LinkRefusal | None:
    """May `by` look one more number up? `names`: who did so within `LOOK_UP_WINDOW`. A name is what somebody typed, so
    its spelling does not make another of it, and all names together have a limit too.
    """
    own = sum(_fold(name) == _fold(by) for name in names)
    return "look_up_limit" if own >= LOOK_UPS_OF_ONE or len(names) >= LOOK_UPS_OF_ALL else None


def derive_link_tag(link: int, version: int, person: str) -> str:
    """The entity tag of a link at one version (RFC 9110 8.8.3): 22 signs. It tells nothing of the row or the person,
    whose internal key nobody else knows.
    """
    digest = hashlib.sha256(f"kiosk-link\0{link}\0{version}\0{person}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode("ascii").rstrip("=")


def mask_number(number: str) -> str:
    """For screens that others may see: the last three signs."""
    return "•" * max(len(number) - 3, 0) + number[-3:]


def _fold(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _is_line(text: str) -> bool:
    return len(text) <= MOST_REASON and is_line(text)
