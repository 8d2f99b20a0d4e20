"""Elements, names and distribution points: the readers under certificates and lists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from asn1crypto import core
from cryptography import x509

from kiosk_web.pki import elements
from kiosk_web.pki.der import MalformedDer
from kiosk_web.pki.distribution_points import read_distribution_points, read_issuing_point
from kiosk_web.pki.names import canonicalise_name
from tests.fuzz.target import Target
from tests.support.der import SEQUENCE, tlv
from tests.support.generated_case import ROOTS
from tests.support.generated_chains import build_chain
from tests.support.jpki import build_name

ISSUER = ROOTS["2023"].name.public_bytes()


def build_elements() -> Iterator[bytes]:
    chain = build_chain({})
    yield chain.der
    yield from (name.public_bytes() for name in (build_name(), build_name("digital_signature", "ＪＰＫＩ")))
    for extension in x509.load_der_x509_certificate(chain.der).extensions:
        yield extension.value.public_bytes()
    yield tlv(elements.UTC_TIME, b"491231235959Z")
    yield tlv(elements.GENERALIZED_TIME, b"20500101000000Z")
    yield tlv(SEQUENCE, tlv(SEQUENCE, b"\x06\x03\x55\x1d\x15" + b"\x01\x01\xff" + b"\x04\x03\x0a\x01\x01"))


def read_any(data: bytes) -> None:
    """Each reader reads or raises `MalformedDer`, and what it read is what the other library reads."""
    try:
        found = list(elements.read_elements(data, 0, len(data)))
    except MalformedDer:
        found = []
    else:
        assert b"".join(data[one.start : one.end] for one in found) == data
    for element in found:
        read_value(data, element)
    for read in (canonicalise_name, lambda value: read_issuing_point(value, ISSUER)):
        with suppress(MalformedDer):
            read(data)
    try:
        points = read_distribution_points(data, ISSUER)
    except MalformedDer:
        return
    assert points
    assert all(point.names for point in points)


def read_value(data: bytes, element: elements.Element) -> None:
    try:
        ours = _read_ours(data, element)
    except MalformedDer:
        return
    if ours is not None:
        assert _read_theirs(data[element.start : element.end], element.tag) == ours


def _read_ours(data: bytes, element: elements.Element) -> int | bool | str | datetime | None:
    match element.tag:
        case elements.INTEGER:
            return elements.read_integer(data, element)
        case elements.OBJECT_IDENTIFIER:
            return elements.read_object_identifier(data, element)
        case elements.UTC_TIME | elements.GENERALIZED_TIME:
            return elements.read_time(data, element)
        case elements.BOOLEAN:
            return elements.read_boolean(data, element)
        case elements.SEQUENCE:
            assert list(elements.read_extensions(data, element.start, element.end))
    return None


def _read_theirs(whole: bytes, tag: int) -> object:
    kinds = {
        elements.INTEGER: core.Integer,
        elements.UTC_TIME: core.UTCTime,
        elements.GENERALIZED_TIME: core.GeneralizedTime,
        elements.BOOLEAN: core.Boolean,
    }
    if tag == elements.OBJECT_IDENTIFIER:
        return core.ObjectIdentifier.load(whole, strict=True).dotted
    return kinds[tag].load(whole, strict=True).native


TARGETS = (Target("elements", read_any, build_elements),)
