"""Status words: what the last two bytes of every answer mean, as named errors.

The list is ISO/IEC 7816-4 clause 5.6 and the JICSAP list (`docs/card.md` 5). A status word that is in neither is still
a `StatusWordError` with its number; none ever passes for success.
"""

from __future__ import annotations

from typing import Final

from bridge.errors import CardError

SUCCESS: Final = 0x9000
END_OF_FILE: Final = 0x6282
NO_MATCH_NO_LIMIT: Final = 0x6300
BLOCKED_BY_ISO: Final = 0x6983
BLOCKED: Final = 0x6984


class StatusWordError(CardError):
    """The card answered with something other than success; `status` is the 16-bit status word."""

    meaning = "status not in any list"

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04X} ({self.meaning})")
        self.status = status


class EndOfFile(StatusWordError):
    meaning = "fewer bytes than asked for, the file ends"


class ApplicationLocked(StatusWordError):
    meaning = "the selected application is locked"


class NoMatchNoLimit(StatusWordError):
    meaning = "comparison failed, no limit on tries"


class ComparisonFailed(StatusWordError):
    """63Cx; `tries_left` is x."""

    meaning = "comparison failed"

    @property
    def tries_left(self) -> int:
        return self.status & 0x0F


class MemoryUnchanged(StatusWordError):
    meaning = "execution error, memory unchanged"


class MemoryFailure(StatusWordError):
    meaning = "memory failure"


class WrongLength(StatusWordError):
    meaning = "wrong length"


class ChannelNotOffered(StatusWordError):
    meaning = "logical channel not offered"


class SecureMessagingNotOffered(StatusWordError):
    meaning = "secure messaging not offered"


class WrongFileKind(StatusWordError):
    meaning = "command does not fit the kind of file"


class SecurityStatusNotSatisfied(StatusWordError):
    meaning = "security status not satisfied"


class ReferenceBlocked(StatusWordError):
    """6984, and 6983 where a card follows ISO/IEC 7816-4 (the sources disagree about this card)."""

    meaning = "reference blocked"


class ConditionsNotSatisfied(StatusWordError):
    meaning = "conditions of use not satisfied"


class NoCurrentFile(StatusWordError):
    meaning = "no current file"


class SecureMessagingObjectsMissing(StatusWordError):
    meaning = "secure messaging objects missing"


class SecureMessagingObjectsWrong(StatusWordError):
    meaning = "secure messaging objects wrong"


class SecureMessagingRefused(StatusWordError):
    """69FC and 66F1: only this card, measured on class bytes and applications without secure messaging."""

    meaning = "secure messaging refused by this card"


class WrongData(StatusWordError):
    meaning = "wrong data"


class FunctionNotSupported(StatusWordError):
    meaning = "function not supported"


class FileNotFound(StatusWordError):
    meaning = "file or application not found"


class RecordNotFound(StatusWordError):
    meaning = "record not found"


class NoRoom(StatusWordError):
    meaning = "no room in the file"


class WrongParameters(StatusWordError):
    meaning = "wrong P1 or P2"


class LengthContradictsParameters(StatusWordError):
    meaning = "length contradicts P1 and P2"


class ReferenceNotFound(StatusWordError):
    meaning = "key or reference not found"


class OffsetBeyondFile(StatusWordError):
    meaning = "offset beyond the end of the file"


class InstructionNotSupported(StatusWordError):
    meaning = "instruction not supported"


class ClassNotSupported(StatusWordError):
    meaning = "class not supported"


class NoDiagnosis(StatusWordError):
    """6F00; this card may give it once to the first command after power-up (seen by one source)."""

    meaning = "no diagnosis"


class LengthHint(StatusWordError):
    """61xx or 6Cxx at a place where following the hint would send a command twice."""

    meaning = "length hint that is not followed"


ERRORS: Final[dict[int, type[StatusWordError]]] = {
    END_OF_FILE: EndOfFile,
    0x6283: ApplicationLocked,
    NO_MATCH_NO_LIMIT: NoMatchNoLimit,
    0x6400: MemoryUnchanged,
    0x6581: MemoryFailure,
    0x66F1: SecureMessagingRefused,
    0x6700: WrongLength,
    0x6881: ChannelNotOffered,
    0x6882: SecureMessagingNotOffered,
    0x6981: WrongFileKind,
    0x6982: SecurityStatusNotSatisfied,
    BLOCKED_BY_ISO: ReferenceBlocked,
    BLOCKED: ReferenceBlocked,
    0x6985: ConditionsNotSatisfied,
    0x6986: NoCurrentFile,
    0x6987: SecureMessagingObjectsMissing,
    0x6988: SecureMessagingObjectsWrong,
    0x69FC: SecureMessagingRefused,
    0x6A80: WrongData,
    0x6A81: FunctionNotSupported,
    0x6A82: FileNotFound,
    0x6A83: RecordNotFound,
    0x6A84: NoRoom,
    0x6A86: WrongParameters,
    0x6A87: LengthContradictsParameters,
    0x6A88: ReferenceNotFound,
    0x6B00: OffsetBeyondFile,
    0x6D00: InstructionNotSupported,
    0x6E00: ClassNotSupported,
    0x6F00: NoDiagnosis,
}


def build_error(status: int) -> StatusWordError:
    """The named error of a status word other than 9000."""
    if status & 0xFFF0 == 0x63C0:
        return ComparisonFailed(status)
    if status >> 8 in (0x61, 0x6C):
        return LengthHint(status)
    return ERRORS.get(status, StatusWordError)(status)
