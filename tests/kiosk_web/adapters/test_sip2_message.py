"""The bytes of SIP2, written and read by another implementation than ours."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pysip2 import codec, models

from kiosk_web.adapters import sip2_message as m

NOW = datetime(2026, 11, 25, 0, 30, 5, tzinfo=UTC)


def test_every_message_is_read_by_the_other_implementation() -> None:
    login = codec.decode_message(m.build_login(3, "kiosk", "secret", "desk 1", "utf-8"))
    assert isinstance(login.message, models.LoginRequest)
    assert login.sequence_number == 3
    status = codec.decode_message(m.build_terminal_status(4, "utf-8"))
    assert isinstance(status.message, models.SCStatusRequest)
    assert status.message.protocol_version == "2.00"
    patron = codec.decode_message(m.build_patron_status_request(5, "0123", "MINATO", "tp", NOW, "utf-8")).message
    assert isinstance(patron, models.PatronStatusRequest)
    assert (patron.patron_identifier, patron.institution_id) == ("0123", "MINATO")
    assert patron.transaction_date == "20261125    093005"
    end = codec.decode_message(m.build_end_session(6, "0123", "MINATO", "tp", NOW, "utf-8")).message
    assert isinstance(end, models.EndPatronSessionRequest)
    resend = codec.decode_message(m.build_resend_request())
    assert isinstance(resend.message, models.RequestACSResend)
    assert resend.checksum is not None


@pytest.mark.parametrize("text", ["9900802.00AY1AZ", "2300119960212    100239AOid|AA104|ACtp|AD|AY2AZ"])
def test_the_checksum_is_the_other_implementations(text: str) -> None:
    assert m.derive_checksum(text.encode()) == codec.calculate_checksum(text.encode())


def test_the_checksum_of_a_published_example() -> None:
    assert m.derive_checksum(b"9900302.00AY1AZ") == "FCA5"


def seal(text: str, charset: m.Charset = "utf-8", sequence: int = 0) -> bytes:
    body = f"{text}AY{sequence}AZ".encode(charset)
    return body + m.derive_checksum(body).encode()


def answer_of(fields: str, flags: str = " " * 14) -> str:
    return f"24{flags}00120261125    093005{fields}"


def test_a_name_whose_second_byte_is_a_bar_does_not_part_the_fields() -> None:
    name = "ポ一ル"  # in cp932 the first sign is 83 7C, and 7C is |
    assert b"|" in name.encode("cp932")
    line = seal(answer_of(f"AOid|AA0123|AE{name}|BLY|"), "cp932")
    status = m.judge_patron_status(m.parse_answer(line, "cp932"))
    assert (status.number, status.valid, status.denied) == ("0123", True, False)


def test_what_is_about_the_person_is_dropped_where_it_is_read() -> None:
    line = seal(answer_of("AOid|AA0123|AEAoba Midori|BD1 Mihon|BEm@example.invalid|BF000|PB19900101|AFhello|BLY|"))
    answer = m.parse_answer(line, "utf-8")
    assert set(answer.fields) == {"AA", "BL"}
    assert "0123" not in repr(answer)
    assert "0123" not in repr(m.judge_patron_status(answer))


@pytest.mark.parametrize(
    ("flags", "denied"),
    [
        (" " * 14, False),
        ("Y" + " " * 13, True),
        ("    Y" + " " * 9, True),
        (" Y" + " " * 12, False),
        (" " * 13 + "Y", False),
    ],
)
def test_denied_charging_and_a_lost_card_block(flags: str, denied: bool) -> None:
    assert m.judge_patron_status(m.parse_answer(seal(answer_of("AA1|BLY|", flags)), "utf-8")).denied is denied


@pytest.mark.parametrize(
    ("field", "valid"), [("BLY|", True), ("BLN|", False), ("", None), ("BL|", None), ("BLy|", None)]
)
def test_only_y_is_valid_and_only_n_is_unknown(field: str, valid: bool | None) -> None:
    assert m.judge_patron_status(m.parse_answer(seal(answer_of(f"AA1|{field}")), "utf-8")).valid is valid


def test_every_changed_byte_is_noticed() -> None:
    line = seal(answer_of("AOid|AA0123|BLN|"))
    for at in range(len(line)):
        changed = line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]
        with pytest.raises(m.Sip2Malformed):
            m.parse_answer(changed, "utf-8")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"24",
        b"\xff\xff",
        b"01" + b" " * 40,
        seal("24short"),
        seal("63" + " " * 60),
        seal("24" + "é" * 40)[:-1] + b"\xc3",
    ],
)
def test_what_is_no_answer_is_refused_without_a_quotation(line: bytes) -> None:
    with pytest.raises(m.Sip2Malformed) as refusal:
        m.parse_answer(line, "utf-8", checksum=False)
    assert len(str(refusal.value)) < 30


def test_strange_flags_are_refused() -> None:
    with pytest.raises(m.Sip2Malformed):
        m.judge_patron_status(m.parse_answer(seal(answer_of("AA1|BLY|", "X" * 14)), "utf-8"))


def test_a_field_that_comes_twice_is_refused() -> None:
    with pytest.raises(m.Sip2Malformed):
        m.parse_answer(seal(answer_of("AA1|BLN|BLY|")), "utf-8")


def test_no_checksum_counts_as_garbled_unless_the_library_sends_none() -> None:
    plain = answer_of("AA1|BLY|").encode()
    with pytest.raises(m.Sip2Garbled):
        m.parse_answer(plain, "utf-8")
    assert m.parse_answer(plain, "utf-8", checksum=False).fields["BL"] == "Y"


@pytest.mark.parametrize(
    ("fixed", "fields", "serves"),
    [
        ("Y", "", True),
        ("Y", "BXYN|", True),
        ("Y", "BXNY|", False),
        ("Y", "BX|", False),
        ("N", "", False),
        ("N", "BXYYYYYYYYYYYYYYYY|", False),
        ("y", "", False),
    ],
)
def test_a_library_that_is_offline_or_answers_no_patron_status_is_not_asked(
    fixed: str, fields: str, serves: bool
) -> None:
    answer = m.parse_answer(seal(f"98{fixed}" + "Y" * 33 + fields), "utf-8")
    assert m.judge_terminal_status(answer) is serves


@pytest.mark.parametrize("at", range(14))
def test_each_of_the_fourteen_flags_is_looked_at(at: int) -> None:
    flags = " " * at + "X" + " " * (13 - at)
    with pytest.raises(m.Sip2Malformed):
        m.judge_patron_status(m.parse_answer(seal(answer_of("AA1|BLY|", flags)), "utf-8"))


def test_an_answer_has_its_sequence_number_or_none() -> None:
    assert m.parse_answer(seal(answer_of("AA1|BLY|"), sequence=7) + b"\r\n", "utf-8").sequence == "7"
    body = answer_of("AA1|BLY|").encode() + b"AZ"
    without = m.parse_answer(body + m.derive_checksum(body).encode(), "utf-8")
    assert (without.sequence, dict(without.fields)) == ("", {"AA": "1", "BL": "Y"})
    small = m.parse_answer(body + m.derive_checksum(body).lower().encode(), "utf-8")
    assert small.fields == without.fields
    named = answer_of("BLY|AA1AYx").encode() + b"AZ"  # no digit, and so a part of the field
    assert m.parse_answer(named + m.derive_checksum(named).encode(), "utf-8").fields["AA"] == "1AYx"


def test_an_answer_is_as_long_as_a_line_and_no_longer() -> None:
    room = m.MAXIMUM_BYTES - len(seal(answer_of("AF|AA1|BLY|")))
    assert m.parse_answer(seal(answer_of(f"AF{'x' * room}|AA1|BLY|")), "utf-8").fields["BL"] == "Y"
    with pytest.raises(m.Sip2Malformed, match="length"):
        m.parse_answer(seal(answer_of(f"AF{'x' * (room + 1)}|AA1|BLY|")), "utf-8")
    for line in (b"", b"\r\n"):
        with pytest.raises(m.Sip2Malformed, match="length"):
            m.parse_answer(line, "utf-8", checksum=False)
