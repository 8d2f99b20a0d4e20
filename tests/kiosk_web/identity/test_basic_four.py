"""The four items as they are sealed: sign for sign what the card says."""

from __future__ import annotations

import json

import pytest

from kiosk_web.identity.basic_four import BasicFour, BasicFourMalformed, build_statement

ODD = BasicFour("𠮷野\u3000髙子", "みほん市か\u3099き町●丁目\ufa19社前", "19800000", "9")


def test_signs_are_neither_normalised_nor_replaced() -> None:
    statement = build_statement(ODD, ppid="P", read_at=7)
    assert (
        statement
        == (
            '{"basic_four":{"address":"みほん市か\u3099き町●丁目\ufa19社前","birth":"19800000","name":"𠮷野\u3000髙子",'
            '"sex":"9"},"ppid":"P","read_at":7}'
        ).encode()
    )
    assert json.loads(statement)["basic_four"]["name"] == ODD.name


def test_no_text_form_shows_an_item() -> None:
    assert repr(ODD) == str(ODD) == f"{ODD}" == "BasicFour(****)"


@pytest.mark.parametrize(
    "items",
    [
        ("", "a", "19800217", "1"),
        ("n", "", "19800217", "1"),
        ("n" * 201, "a", "19800217", "1"),
        ("n", "a" * 501, "19800217", "1"),
        ("\ud842", "a", "19800217", "1"),
        ("n", "a", "1980021", "1"),
        ("n", "a", "1980-2-17", "1"),
        ("n", "a", "１９８００２１７", "1"),
        ("n", "a", "19800217", ""),
        ("n", "a", "19800217", "12"),
    ],
)
def test_what_no_card_has_is_refused_and_not_quoted(items: tuple[str, str, str, str]) -> None:
    with pytest.raises(BasicFourMalformed) as refused:
        BasicFour(*items)
    assert str(refused.value) in ("length", "no text", "birth or sex")


@pytest.mark.parametrize(("name", "address"), [("n", "a"), ("n" * 200, "a" * 500)])
def test_what_a_card_can_hold_is_taken_from_the_shortest_to_the_longest(name: str, address: str) -> None:
    four = BasicFour(name, address, "19800217", "1")
    assert (four.name, four.address) == (name, address)
