import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.card.token_label import TokenLabel, parse_token_label
from bridge.errors import CardDataMalformed, NotMyNumberCard


@pytest.mark.parametrize("filler", [b" ", b"\0"])
def test_the_label_of_the_plastic_card_is_recognised(filler: bytes) -> None:
    label = parse_token_label(b"JPKIAPICCTOKEN2".ljust(32, filler))
    assert label.text == "JPKIAPICCTOKEN2"
    assert (label.pin_rule.minimum, label.pin_rule.maximum) == (4, 4)
    assert not label.simulated


def test_the_label_of_virtual_cards_says_so_and_takes_a_longer_pin() -> None:
    label = parse_token_label(b"JPKIAPSIMTOKEN".ljust(32))
    assert label.simulated
    assert (label.pin_rule.minimum, label.pin_rule.maximum) == (4, 16)


@pytest.mark.parametrize("text", [b"JPKIAPICCTOKEN", b"JPKIAPGPSETOKEN", b"JPKIAPIOSTOKEN", b"", b"JPKIAPICCTOKEN23"])
def test_the_old_card_and_the_phones_are_not_this_card(text: bytes) -> None:
    with pytest.raises(NotMyNumberCard):
        parse_token_label(text.ljust(32))


@given(st.binary(max_size=31))
def test_a_label_cut_short_is_malformed(data: bytes) -> None:
    with pytest.raises(CardDataMalformed):
        parse_token_label(data)


@given(st.binary(min_size=32, max_size=160))
def test_any_bytes_are_a_label_or_a_named_error(data: bytes) -> None:
    try:
        label = parse_token_label(data)
    except (CardDataMalformed, NotMyNumberCard):
        return
    assert isinstance(label, TokenLabel)
