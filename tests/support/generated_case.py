"""What hypothesis builds certificates, answers and lists from: an ordinary one, and some respects in which it is not.

A case is a plain mapping from a field to the name of its value (`{"key": "P-256", "policy": "none"}`), so that a
failing example reads like a sentence. Fields that are not named are ordinary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from hypothesis import strategies as st

from tests.support.der import content
from tests.support.jpki import build_root
from tests.support.signed_der import MUTATIONS, Mutation

Case = Mapping[str, str]

ROOTS = {
    "2023": build_root(2023),
    "2019": build_root(2019),
    "2015": build_root(2015),
    "P-384": build_root(2023, label="ec", algorithm="ec"),
}
"""The anchors of every case. All have one name, as those of JPKI have."""


@dataclass(frozen=True)
class GeneratedCase:
    """What is built from a case is one of these, with its bytes."""

    case: Case

    def says(self, field: str, *values: str) -> bool:
        """Is this field one of these values, or (without values) anything but ordinary?"""
        return field in self.case and (not values or self.case[field] in values)


def choose(fields: Mapping[str, Mapping[str, Any]], most: int = 3) -> st.SearchStrategy[dict[str, str]]:
    """Up to `most` of the fields, each with one of its values."""
    names = sorted(fields)
    picked = st.lists(st.sampled_from(names), max_size=most, unique=True)
    return picked.flatmap(
        lambda chosen: st.fixed_dictionaries({name: st.sampled_from(sorted(fields[name])) for name in chosen})
    )


def choose_with_times(
    fields: Mapping[str, Mapping[str, Any]], times: Iterable[str], seconds: int
) -> st.SearchStrategy[dict[str, str]]:
    """As `choose`, the times now and then anywhere within so many seconds of the moment."""
    anywhere = st.integers(-seconds, seconds).map(str)
    moved = st.fixed_dictionaries({}, optional=dict.fromkeys(times, anywhere))
    return st.one_of(
        choose(fields), choose(fields), st.builds(lambda one, other: {**one, **other}, choose(fields), moved)
    )


def mutations() -> st.SearchStrategy[Mutation | None]:
    """Mostly none; else one change of the finished bytes."""
    change = st.builds(Mutation, st.sampled_from(MUTATIONS), st.integers(0, 1 << 16), st.integers(0, 254))
    return st.one_of(st.none(), st.none(), change)


def respell(name: x509.Name, *, other_case: bool) -> x509.Name:
    """The same name to RFC 5280 7.1, and other bytes."""
    return x509.Name(
        [
            x509.NameAttribute(
                part.oid,
                str(part.value).upper() if other_case else part.value,
                part._type if other_case or part.oid == NameOID.COUNTRY_NAME else _ASN1Type.PrintableString,
            )
            for part in name
        ]
    )


def encode_otherwise(der: bytes, how: str) -> bytes:
    """The same, signed before, as BER or with something behind it: `how` is the value of the field `encoding`."""
    match how:
        case "a byte after":
            return der + b"\0"
        case "length not minimal":
            return der[:1] + b"\x83\0" + der[2:4] + content(der)
        case _:
            return der
