"""May a revocation list speak for a CA? `judge_crl` answers with a `TrustedCrl` or with why not, by numbered steps.

A list is identified by its scope: the key that signed it, and its distribution point. The name of the issuer identifies
nothing, because three generations of one CA share it. Of each scope the newest list ever accepted is remembered
(`ListMark`): none may fall behind it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from kiosk_web.pki.algorithms import DEFAULT_ALGORITHMS, AlgorithmName, Judgement, explain_refusal, judge_signed_view
from kiosk_web.pki.anchors import Anchor
from kiosk_web.pki.crl import UnverifiedCrl
from kiosk_web.pki.distribution_points import Coverage
from kiosk_web.pki.fields import build_fields
from kiosk_web.pki.trust import TrustStore, judge_window

_ABOUT_CAS = b"ca\0"
_BY_NAME = b"name"
_POINT_OCTETS = 32
"""Of a point of a list. Those of a name are longer."""


@dataclass(frozen=True, slots=True)
class CrlPolicy:
    """How lists are believed. JPKI renews them daily: `max_age` leaves six hours for fetching a new one.

    `allow_missing_key_id` lets a list without authorityKeyIdentifier be tried with every anchor of its issuer's name:
    for other CAs' lists; JPKI's generations are told apart by it.
    """

    max_age: timedelta = timedelta(hours=30)
    skew: timedelta = timedelta(minutes=2)
    algorithms: frozenset[AlgorithmName] = DEFAULT_ALGORITHMS
    allow_missing_key_id: bool = False


class ListScope(NamedTuple):
    """What a list is about: the identifier of the key that signed it, and `derive_point` of where it is published."""

    key_id: bytes
    point: bytes

    def __repr__(self) -> str:
        return "ListScope(…)"


@dataclass(frozen=True, slots=True)
class ListHeader:
    """All of an accepted list but its entries. Times are aware (UTC); `sha256` and `size` are of the list's bytes.

    `point_names` are the names of its distribution point, empty for a list of the whole CA. `entries` counts what it
    says, duplicates included.
    """

    scope: ListScope
    point_names: frozenset[bytes] = field(repr=False)
    covers: Coverage
    this_update: datetime
    next_update: datetime
    crl_number: int | None
    sha256: bytes
    size: int
    entries: int

    @property
    def mark(self) -> ListMark:
        """The list as it is compared with what is known of its scope."""
        return ListMark(self.crl_number, self.this_update, self.sha256)

    def derive_name_scopes(self) -> frozenset[ListScope]:
        """Where a list with several names is remembered besides (`derive_name_scope`)."""
        if len(self.point_names) < 2 or self.covers == "ca":
            return frozenset()
        return frozenset(derive_name_scope(self.scope.key_id, name) for name in self.point_names)


@dataclass(frozen=True, slots=True)
class ListMark:
    """The newest list of one scope that was ever accepted."""

    crl_number: int | None
    this_update: datetime
    sha256: bytes


@dataclass(frozen=True, slots=True, eq=False)
class TrustedCrl:
    """A list of a known scope, signed by the key of `anchor`, complete, fresh. Made by `judge_crl` alone.

    Its entries have not been read: a list may still turn out malformed in there.
    """

    crl: UnverifiedCrl
    anchor: Anchor
    scope: ListScope
    covers: Coverage
    next_update: datetime
    mark: ListMark

    def build_header(self, entries: int) -> ListHeader:
        """The header of its index, once the entries are counted."""
        return ListHeader(
            scope=self.scope,
            point_names=self.crl.point.names,
            covers=self.covers,
            this_update=self.crl.this_update,
            next_update=self.next_update,
            crl_number=self.crl.crl_number,
            sha256=self.mark.sha256,
            size=self.crl.size,
            entries=entries,
        )


@dataclass(frozen=True, slots=True)
class RefusedCrl:
    """Why a list is refused: `why` is a stable word of docs/validation.md, `detail` is for staff."""

    why: str
    detail: str


def judge_crl(
    crl: UnverifiedCrl,
    store: TrustStore,
    policy: CrlPolicy,
    now: datetime,
    marks: Mapping[ListScope, ListMark],
    derive_sha256: Callable[[], bytes] | None = None,
) -> TrustedCrl | RefusedCrl:
    """Judge a list at the aware time `now` (RFC 5280 6.3.3, narrowed to complete lists of a CA about itself).

    `marks` are what was remembered of the lists of each scope. `derive_sha256` gives the SHA-256 of the list's bytes
    where somebody is at it already: it takes as long as the check of the signature. The steps, in order; the first that
    fails is the answer:

    1. authorityKeyIdentifier names the key of an anchor;
    2. the issuer name is that anchor's (a condition, never a way to find it);
    3. the anchor may sign lists (keyUsage) and is in its own validity;
    4. the signature algorithm is the same inside and outside, and on the allow-list;
    5. the signature verifies with that anchor's key, over the bytes as they came;
    6. the list is complete: no critical extension left unprocessed, no delta, not indirect, not for some reasons or
       for attribute certificates only;
    7. thisUpdate is not in the future, nextUpdate is there and not passed;
    8. it is not behind the mark, and not another list under the same number.
    """
    anchor = _find_signer(crl, store, policy, now)
    if isinstance(anchor, RefusedCrl):
        return anchor
    refusal = _judge_completeness(crl)
    if refusal:
        return refusal
    next_update = _judge_times(crl, policy, now)
    if isinstance(next_update, RefusedCrl):
        return next_update
    scope = ListScope(anchor.key_id, derive_point(crl.point.names, crl.point.covers))
    sha256 = hashlib.sha256(crl.data).digest() if derive_sha256 is None else derive_sha256()
    list_mark = ListMark(crl.crl_number, crl.this_update, sha256)
    regression = find_regression(list_mark, marks.get(scope))
    if regression:
        return RefusedCrl(regression, "a newer list of this scope was accepted before")
    return TrustedCrl(crl, anchor, scope, crl.point.covers, next_update, list_mark)


def derive_point(names: frozenset[bytes], covers: Coverage = "all") -> bytes:
    """Names of a distribution point as 32 octets that keep them to themselves; b"" for none (the whole CA).

    A list about CAs alone is another one than that of the same place about their holders: neither is the next of the
    other, and they count by themselves.
    """
    if covers == "ca":
        return hashlib.sha256(_ABOUT_CAS + build_fields(*sorted(names))).digest()
    return hashlib.sha256(build_fields(*sorted(names))).digest() if names else b""


def derive_name_scope(key_id: bytes, name: bytes) -> ListScope:
    """Where the newest of the lists is remembered that have several names, this one among them.

    A certificate may name one of these alone, and from that the scope of the list cannot be derived. Nothing is judged
    by this mark but whether such a list is missing.
    """
    return ListScope(key_id, _BY_NAME + hashlib.sha256(build_fields(name)).digest())


def is_of_name(scope: ListScope) -> bool:
    """Is it one of `derive_name_scope`, and not that of a list?"""
    return len(scope.point) > _POINT_OCTETS


def find_regression(found: ListMark, known: ListMark | None) -> str:
    """How a list falls behind what is known of its scope, in a word; empty if it does not, and for the same one again.

    Both numbers must hold: a signer that counts backwards or uses a number twice is not believed.
    """
    if known is None or found == known:
        return ""
    if known.crl_number is not None and (found.crl_number is None or found.crl_number < known.crl_number):
        return "number_behind"
    if found.this_update < known.this_update:
        return "update_behind"
    same = found.crl_number == known.crl_number
    if same and (found.crl_number is not None or found.this_update == known.this_update):
        return "same_number_other_list"
    return ""


def merge_list_marks(one: ListMark, other: ListMark) -> ListMark:
    """The higher of both: the list with the higher number, or of two without one the later; and the latest thisUpdate.

    The order of any number of marks does not matter, so that several hosts may record at once.
    """
    later = max(one.this_update, other.this_update)
    if one.crl_number is None and other.crl_number is None:
        return max(one, other, key=lambda mark: (mark.this_update, mark.sha256))
    higher = max(one, other, key=lambda mark: (-1 if mark.crl_number is None else mark.crl_number, mark.sha256))
    return ListMark(higher.crl_number, later, higher.sha256)


def _find_signer(crl: UnverifiedCrl, store: TrustStore, policy: CrlPolicy, now: datetime) -> Anchor | RefusedCrl:
    """Steps 1 to 5: the anchor whose key signed the list."""
    if crl.authority_key_id is not None:
        anchors = store.find_issuers(crl.authority_key_id)
    elif policy.allow_missing_key_id:
        anchors = store.anchors
    else:
        return RefusedCrl("no_key_id", "it does not say which key signed it")
    if not anchors:
        return RefusedCrl("issuer_unknown", "its issuer's key is no anchor of ours")
    anchors = tuple(anchor for anchor in anchors if anchor.canonical_name == crl.issuer)
    if not anchors:
        return RefusedCrl("issuer_name", "its issuer has another name than the anchor")
    anchors = tuple(anchor for anchor in anchors if anchor.crl_sign)
    if not anchors:
        return RefusedCrl("issuer_may_not_sign", "the anchor's keyUsage does not let it sign lists")
    anchors = tuple(anchor for anchor in anchors if judge_window(anchor.not_before, anchor.not_after, now) == "within")
    if not anchors:
        return RefusedCrl("issuer_not_valid_now", "the anchor's own certificate is not in its validity")
    if not crl.algorithms_agree:
        return RefusedCrl("algorithm_mismatch", "it names two signature algorithms")
    judgements: set[Judgement] = set()
    for anchor in {anchor.spki: anchor for anchor in anchors}.values():
        judgement = judge_signed_view(
            crl.signature_oid, anchor.public_key, crl.signature, crl.signed_view, policy.algorithms
        )
        if judgement == "good":
            return anchor
        judgements.add(judgement)
    if judgements == {"algorithm_refused"}:
        return RefusedCrl("algorithm_refused", explain_refusal(crl.signature_oid))
    return RefusedCrl("signature_invalid", "its signature was not made by the anchor it names")


def _judge_completeness(crl: UnverifiedCrl) -> RefusedCrl | None:
    """Step 6: a list that says everything about the certificates it covers."""
    if crl.unknown_critical:
        return RefusedCrl("critical_extension", f"a critical extension is not known here: {crl.unknown_critical[0]}")
    if crl.delta:
        return RefusedCrl("delta", "it holds only changes against another list")
    if crl.point.indirect:
        return RefusedCrl("indirect", "it may speak for other issuers")
    if crl.point.some_reasons:
        return RefusedCrl("some_reasons", "it holds only some of the reasons")
    if crl.point.only_attribute:
        return RefusedCrl("attribute_certificates", "it is about attribute certificates only")
    return None


def _judge_times(crl: UnverifiedCrl, policy: CrlPolicy, now: datetime) -> datetime | RefusedCrl:
    """Step 7: nextUpdate of a list that is in force. Its age is judged at each look-up."""
    if crl.this_update > now + policy.skew:
        return RefusedCrl("from_the_future", "its thisUpdate is ahead of the clock")
    if crl.next_update is None:
        return RefusedCrl("no_next_update", "it does not say when the next one comes")
    if crl.next_update < now or crl.next_update < crl.this_update:
        return RefusedCrl("next_update_passed", "the next one is due")
    return crl.next_update
