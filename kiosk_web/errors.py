"""Errors of the server that a person has to read. Messages say what to change and hold no personal data."""

from __future__ import annotations


class KioskError(Exception):
    """Base of all of them."""


class SettingsError(KioskError):
    """The server cannot start as it is configured."""


class TerminalError(KioskError):
    """A terminal cannot be added or revoked as asked."""


class StaffError(KioskError):
    """A member of staff cannot be added or revoked as asked."""


class FallbackError(KioskError):
    """The fallback cannot be opened as asked."""


class DatabaseError(KioskError):
    """The database cannot be used as it is. The message begins with a name of `docs/operating.md`."""


class KeysError(KioskError):
    """The server's keys cannot be read or kept."""


class ListIndexError(KioskError):
    """The index of revocation lists cannot be read or written. `why` is a name of `docs/crl.md`."""

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(f"{why}: {detail}")
        self.why = why


class IdentityError(KioskError):
    """What staff asked of a person, an identifier or a link is refused. `name` is one of `docs/linking.md`."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: {REFUSALS[name]}")
        self.name = name


REFUSALS = {
    "system_unknown": "there is no such cooperating system",
    "links_kept_elsewhere": 'the municipality keeps the links of this system (link_holder = "municipality")',
    "number_malformed": "this is no user number of the system",
    "number_check_digit": "the check digit is wrong: read the number again",
    "number_not_listed": "the number is not on the system's list of valid numbers",
    "number_taken": "the number is linked to another person",
    "person_has_another": "the person has another number in this system: unlink that one first",
    "already_linked": "just this link is there already",
    "not_linked": "there is no such link",
    "visit_unknown": "there is no visit of the last 30 minutes with this reference number",
    "visit_of_another_system": "the visit was at a service of another system",
    "identifier_unknown": "the system has no such PPID or MyKey ID",
    "kazashi_not_registered": "this person has no kazashi registered",
    "reason_missing": "say why, in one line",
    "name_missing": "say who does it, in one line",
    "look_up_limit": "too many look-ups in ten minutes: wait, or use a file for many numbers",
    "same_person": "the visit and the number are one person's already",
    "not_a_new_card": "the visit was with a card whose history is known here",
    "old_certificate_good": "no revocation list names the old certificate: it may be in force",
    "old_certificate_on_hold": "the old certificate is only suspended",
    "old_certificate_unconfirmed": "no fresh list covers the old certificate",
    "mykey_id_unknown": "there is no such MyKey ID",
    "mykey_id_state": "the MyKey ID is not in a state for this",
}


FILE_REFUSALS = {
    **REFUSALS,
    "encoding": "this is no text of the encoding: files of spreadsheets on Windows are --encoding cp932",
    "columns": "numbers and unlink-file take one column, renumber two (old,new)",
    "twice": "the number stands in this column twice",
    "same": "old and new are the same number",
    "not_csv": "this is no CSV; a quotation mark is not closed, for instance",
    "empty_file": "there is no number in the file",
}
"""What stands in the way of a library's file, by line."""


class IntroductionError(KioskError):
    """A cooperating system cannot go to this stage. `name` is one of `docs/introduction.md`."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: {INTRODUCTION_REFUSALS[name]}")
        self.name = name


INTRODUCTION_REFUSALS = {
    "system_unknown": "there is no such cooperating system",
    "name_missing": "say who does it, in one line",
    "stage_unknown": "the stages are inquiry, pledge, specification, linkage_test, pilot and live",
    "stage_skipped": "one stage after the other; back, to any earlier one",
    "stage_same": "the system is at this stage already",
    "pledge_missing": "Type 1 needs the day of the pledge first: kiosk system pledge",
    "pledge_ahead": "the day of the pledge lies in the future",
    "linkage_test_missing": "the linkage test was never run: kiosk linkage-test",
    "linkage_test_failed": "the newest linkage test failed: mend what it names and run it again",
    "linkage_test_expired": "the newest linkage test is too old: run it again",
    "linkage_test_of_another": "the newest linkage test was of another deployment or of other profiles: run it again",
    "note_malformed": "write the note in one line",
    "verifier_missing": "verifier: the settings do not name the registered verifier in all roles needed",
}


class ClientError(KioskError):
    """A client of the API cannot be added or changed as asked."""
