import pytest

from bridge.card.status_word import ERRORS, ComparisonFailed, LengthHint, StatusWordError, build_error
from bridge.errors import CardError

# fmt: off
LISTED = [
    "6282", "6283", "6300", "6400", "6581", "6700", "6881", "6882", "6981", "6982", "6983", "6984", "6985", "6986",
    "6987", "6988", "69FC", "66F1", "6A80", "6A81", "6A82", "6A83", "6A84", "6A86", "6A87", "6A88", "6B00", "6D00",
    "6E00", "6F00",
]
# fmt: on


def test_every_listed_status_word_has_a_name() -> None:
    assert sorted(f"{status:04X}" for status in ERRORS) == sorted(LISTED)


@pytest.mark.parametrize("text", LISTED)
def test_a_listed_status_word_is_its_own_error(text: str) -> None:
    error = build_error(int(text, 16))
    assert type(error) is not StatusWordError
    assert isinstance(error, CardError)
    assert text in str(error)
    assert error.status == int(text, 16)


@pytest.mark.parametrize("left", range(16))
def test_a_failed_comparison_tells_the_tries_left(left: int) -> None:
    error = build_error(0x63C0 | left)
    assert isinstance(error, ComparisonFailed)
    assert error.tries_left == left


@pytest.mark.parametrize("status", [0x6110, 0x61FF, 0x6C00, 0x6C20])
def test_a_length_hint_where_none_is_followed_is_an_error(status: int) -> None:
    assert isinstance(build_error(status), LengthHint)


@pytest.mark.parametrize("status", [0x0000, 0x6FFF, 0x9001, 0xFFFF, 0x63B0])
def test_a_status_word_of_no_list_is_an_error_all_the_same(status: int) -> None:
    assert type(build_error(status)) is StatusWordError
