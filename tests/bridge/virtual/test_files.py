from pathlib import Path

import pytest

from bridge.card.text import parse_basic_four
from bridge.virtual.files import JPKI, SURFACE, TEXT, DataFile, build_applications, build_basic_four
from bridge.virtual.profile import BasicFourText, ProfileMalformed, load_profile
from tests.support.profiles import write_key, write_profile

ADDRESS = "東京都千代田区霞が関１丁目"


def test_the_card_holds_three_applications(tmp_path: Path) -> None:
    assert set(build_applications(load_profile(write_profile(tmp_path)))) == {JPKI, TEXT, SURFACE}


def test_a_foreign_card_holds_none(tmp_path: Path) -> None:
    assert build_applications(load_profile(write_profile(tmp_path, switches={"foreign": True}))) == {}


def test_the_my_number_has_no_content_anywhere(tmp_path: Path) -> None:
    files = build_applications(load_profile(write_profile(tmp_path)))[TEXT].files
    assert files[0x01] == files[0x03] == DataFile(b"", frozenset())


def test_the_basic_four_are_the_bytes_of_the_published_record() -> None:
    record = build_basic_four(BasicFourText("見本\u3000花子", ADDRESS, "19900401", "2"), long_form=False)
    assert record.hex().upper().startswith("FF2056DF2108000E0020004A0055DF220FE8A68B")
    assert len(record) == 89


@pytest.mark.parametrize("long_form", [False, True])
@pytest.mark.parametrize("repeat", [1, 2, 6])
def test_the_offsets_point_at_the_fields_whatever_the_length_form(long_form: bool, repeat: int) -> None:
    text = BasicFourText("見本\u3000花子", ADDRESS * repeat, "19900401", "2")
    record = build_basic_four(text, long_form=long_form)
    table = record.index(b"\xdf\x21\x08") + 3
    offsets = [int.from_bytes(record[table + at : table + at + 2], "big") for at in range(0, 8, 2)]
    assert [record[offset : offset + 2].hex().upper() for offset in offsets] == ["DF22", "DF23", "DF24", "DF25"]
    assert parse_basic_four(record).address == text.address


@pytest.mark.parametrize("content", [b"", b"no key", None])
def test_a_key_that_is_none_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    folder = write_profile(tmp_path)
    if content is None:
        write_key(folder / "surface-key.pem", "surface")
        content = (folder / "surface-key.pem").read_bytes().replace(b"PRIVATE", b"PUBLIC")
    (folder / "surface-key.pem").write_bytes(content)
    with pytest.raises(ProfileMalformed, match=r"surface-key\.pem"):
        build_applications(load_profile(folder))
