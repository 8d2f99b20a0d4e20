"""Readers of an invented library and what they have borrowed. Nobody here exists."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Loan:
    """One borrowed book; `due` is what the counter tells the reader."""

    title: str
    due: str


@dataclass(frozen=True)
class Reader:
    """Somebody with a library card."""

    name: str
    loans: tuple[Loan, ...]
    reserved: int = 0


READERS = {
    "2026041828": Reader(
        "青葉　みどり",
        (
            Loan("やさしい統計のはなし", "12月 6日"),
            Loan("みほん川の野鳥図鑑", "12月 6日"),
            Loan("夜明けの時計塔", "12月13日"),
        ),
        reserved=1,
    ),
    "2026041836": Reader("桜井　一郎", (Loan("はじめての家庭菜園", "11月30日"),)),
    "2026041844": Reader("𠮷野　髙子", (Loan("手ぬぐいの文様", "12月10日"), Loan("みほん市史　第二巻", "12月10日"))),
    "2026041851": Reader("小川　はると", (Loan("きょうりゅうのたまご", "12月 3日"),)),
    "2026041869": Reader("グエン・ミン", ()),
}  # fmt: skip


def find_reader(number: str) -> dict[str, object] | None:
    """What the counter page shows for a number, None for one that nobody has."""
    reader = READERS.get(number)
    if reader is None:
        return None
    loans = [{"title": loan.title, "due": loan.due} for loan in reader.loans]
    return {"number": number, "name": reader.name, "loans": loans, "reserved": reader.reserved}
