import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.card.apdu import CommandApdu
from bridge.card.application import JPKI, SURFACE, TEXT, Application, build_select_application, judge_permitted

APPLICATIONS = [None, JPKI, TEXT, SURFACE]
FORBIDDEN_INSTRUCTIONS = [0x24, 0x32, 0xA2, 0xAE, 0xD6, 0xE2, 0x82, 0x84, 0x88, 0xCA, 0xCB, 0xFC, 0x2C, 0xD0]


def name_of(application: Application | None) -> str:
    return application.name if application else "nothing"


@pytest.mark.parametrize("application", APPLICATIONS, ids=name_of)
@pytest.mark.parametrize("instruction", FORBIDDEN_INSTRUCTIONS)
def test_no_writing_or_unlisted_instruction_is_permitted(application: Application | None, instruction: int) -> None:
    for cla, p1, p2 in itertools.product((0x00, 0x80, 0x0C), (0x00, 0x01, 0x04), (0x00, 0x80, 0x98)):
        assert not judge_permitted(CommandApdu(cla, instruction, p1, p2, b"1234"), application)


@pytest.mark.parametrize("file", [0x01, 0x03, 0x14, 0x13, 0x06])
def test_neither_the_my_number_nor_code_a_can_be_named_in_the_text_application(file: int) -> None:
    assert not judge_permitted(CommandApdu(0x00, 0xA4, 0x02, 0x0C, bytes((0, file))), TEXT)
    assert not judge_permitted(CommandApdu(0x00, 0xB0, 0x80 | file, 0x00, expected=256), TEXT)
    assert not judge_permitted(CommandApdu(0x00, 0x20, 0x00, 0x80 | file, b"0" * 12), TEXT)


@pytest.mark.parametrize("file", [0x02, 0x05, 0x12, 0x13])
def test_neither_pictures_nor_printed_codes_can_be_named_in_the_surface_application(file: int) -> None:
    assert not judge_permitted(CommandApdu(0x00, 0xA4, 0x02, 0x0C, bytes((0, file))), SURFACE)
    assert not judge_permitted(CommandApdu(0x00, 0xB0, 0x80 | file, 0x00, expected=256), SURFACE)
    assert not judge_permitted(CommandApdu(0x00, 0x20, 0x00, 0x80 | file, b"0" * 14), SURFACE)


@pytest.mark.parametrize("file", [0x01, 0x1A, 0x1B])
def test_nothing_of_the_signature_certificate_can_be_named(file: int) -> None:
    assert not judge_permitted(CommandApdu(0x00, 0xA4, 0x02, 0x0C, bytes((0, file))), JPKI)
    assert not judge_permitted(CommandApdu(0x00, 0xB0, 0x80 | file, 0x00, expected=256), JPKI)
    assert not judge_permitted(CommandApdu(0x80, 0x2A, 0x00, 0x80 | file, bytes(51), 256), JPKI)


def test_only_the_three_applications_can_be_selected() -> None:
    for known in (JPKI, TEXT, SURFACE):
        assert judge_permitted(build_select_application(known), None)
    juki = bytes.fromhex("D3921000310001010401")
    for name in (juki, JPKI.identifier[:9], b"", bytes.fromhex("A000000151000000")):
        assert not judge_permitted(CommandApdu(0x00, 0xA4, 0x04, 0x0C, name), JPKI)


def test_nothing_but_a_selection_is_permitted_before_one() -> None:
    assert not judge_permitted(CommandApdu(0x00, 0xB0, 0x00, 0x00, expected=256), None)
    assert not judge_permitted(CommandApdu(0x00, 0x20, 0x00, 0x80, b"1234"), None)
    assert not judge_permitted(CommandApdu(0x80, 0x2A, 0x00, 0x00, bytes(51), 256), None)


def test_the_commands_of_a_visit_are_permitted() -> None:
    visit = [
        CommandApdu(0x00, 0xB0, 0x86, 0x00, expected=32),
        CommandApdu(0x00, 0xB0, 0x8A, 0x00, expected=256),
        CommandApdu(0x00, 0xB0, 0x01, 0x00, expected=256),
        CommandApdu(0x00, 0x20, 0x00, 0x98),
        CommandApdu(0x00, 0x20, 0x00, 0x98, b"1234"),
        CommandApdu(0x80, 0x2A, 0x00, 0x97, bytes(51), 256),
    ]
    assert all(judge_permitted(command, JPKI) for command in visit)


@given(
    cla=st.integers(0, 255),
    instruction=st.integers(0, 255),
    p1=st.integers(0, 255),
    p2=st.integers(0, 255),
    data=st.binary(max_size=20),
    expected=st.one_of(st.none(), st.integers(1, 256)),
    application=st.sampled_from(APPLICATIONS),
)
def test_whatever_is_permitted_is_one_of_five_instructions_in_its_class(
    cla: int, instruction: int, p1: int, p2: int, data: bytes, expected: int | None, application: Application | None
) -> None:
    if judge_permitted(CommandApdu(cla, instruction, p1, p2, data, expected), application):
        assert (cla, instruction) in {(0x00, 0xA4), (0x00, 0xB0), (0x00, 0x20), (0x80, 0x2A), (0x00, 0xC0)}
        assert instruction != 0xB0 or not p1 & 0x80 or (application and p1 & 0x7F in application.readable)
