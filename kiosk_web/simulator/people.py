"""The fictional people of the demo, and one card that is not a My Number Card.

Nobody here exists; towns and codes do not either (the prefectures do). Everybody lives in みほん市; the other towns
have revocation lists, and people can move there. An id is the given name in Latin letters. Everything in this file is
public: the tray shows the PINs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import Enum

from kiosk_web.simulator.lifetimes import JST


class Condition(Enum):
    """What is true of a person's certificates after `restore`."""

    GOOD = "good"
    EXPIRING = "expiring"  # within three months
    EXPIRED = "expired"
    REVOKED = "revoked"
    ON_HOLD = "on_hold"
    RENEWED = "renewed"  # has an older, superseded certificate in the register
    MOVED = "moved"  # authentication certificate good, signature certificate dead, items changed


@dataclass(frozen=True, slots=True)
class Municipality:
    """A fictional town. `code`: five digits, the last three outside the assigned ones."""

    code: str
    name: str
    prefecture: str
    romaji: str
    prefecture_romaji: str


@dataclass(frozen=True, slots=True)
class Person:
    """One person and their card. PINs are characters; `sign_pin` is None without a signature certificate."""

    id: str
    name: str
    pin: str
    note_ja: str
    note_en: str
    birth: date
    sex: str
    address: str
    municipality: Municipality
    condition: Condition = Condition.GOOD
    older_generation: bool = False  # issued by the middle generation of the CA
    tries_left: int = 3
    sign_pin: str | None = "SIGN1234"
    text_pin: str = "5678"
    security_code: str = "4649"
    japanese: bool = True
    stay_until: date | None = None
    substitutions: tuple[tuple[str, str], ...] = ()  # characters the certificate cannot hold, with what stands in
    label: str = "JPKIAPICCTOKEN2"
    hidden: bool = False
    foreign: bool = False  # not a My Number Card at all

    @property
    def name_en(self) -> str:
        """For visitors who read no Japanese."""
        return ROMAJI.get(self.id, self.name)

    @property
    def note(self) -> str:
        """Both languages in one line, as the public list has it."""
        return f"{self.note_ja} / {self.note_en}"

    def substitute(self, text: str) -> tuple[str, str]:
        """The text as the signature certificate holds it, and its flags, one digit per character (pki.md 1.3)."""
        table = dict(self.substitutions)
        return "".join(table.get(c, c) for c in text), "".join("1" if c in table else "0" for c in text)


_MIHON_CITY = Municipality("12901", "みほん市", "千葉県", "Mihon-shi", "Chiba-ken")

ROMAJI = {
    "midori": "Midori Aoba",
    "taro": "Taro Nishimura",
    "ichiro": "Ichiro Sakurai",
    "sakura": "Sakura Minami",
    "ken": "Ken Mori",
    "aoi": "Aoi Mogi",
    "saburo": "Saburo Sotei",
    "haruto": "Haruto Ogawa",
    "minh": "Nguyen Minh",
    "takako": "Takako Yoshino",
    "kyoko": "Kyoko Koshin",
    "nagisa": "Nagisa Tenkyo",
    "library-card": "Library card",
}
"""How an English page calls them; no card holds it."""

MUNICIPALITIES = (
    _MIHON_CITY,
    Municipality("13901", "架空市", "東京都", "Kaku-shi", "Tokyo-to"),
    Municipality("10901", "見本町", "群馬県", "Mihon-machi", "Gunma-ken"),
    Municipality("20901", "例示村", "長野県", "Reiji-mura", "Nagano-ken"),
)

_PEOPLE = (
    Person(
        "midori", "青葉　みどり", "1234", "問題なく使えます", "Works", date(1988, 4, 17), "2",
        "千葉県みほん市花見台一丁目２番３号", _MIHON_CITY,
    ),
    Person(
        "taro", "西村　太郎", "2580", "電子証明書の有効期限まで3か月以内", "Certificate expires within 3 months",
        date(1974, 1, 1), "1", "千葉県みほん市中央四丁目５番６号", _MIHON_CITY, Condition.EXPIRING,
    ),
    Person(
        "ichiro", "桜井　一郎", "3691", "電子証明書の有効期間が満了", "Certificate expired", date(1959, 6, 8), "1",
        "千葉県みほん市大字本郷１２３番地", _MIHON_CITY, Condition.EXPIRED,
    ),
    Person(
        "sakura", "南　さくら", "4812", "電子証明書が失効", "Certificate revoked", date(1995, 3, 27), "2",
        "千葉県みほん市桜通り７番地", _MIHON_CITY, Condition.REVOKED,
    ),
    Person(
        "ken", "森　けん", "5923", "電子証明書が一時停止中", "Certificate on hold", date(1982, 7, 2), "1",
        "千葉県みほん市港町三丁目１番１号", _MIHON_CITY, Condition.ON_HOLD, older_generation=True,
    ),
    Person(
        "aoi", "模擬　あおい", "6034", "暗証番号がロックされている", "PIN locked", date(1991, 9, 14), "9",
        "千葉県みほん市緑町二丁目８番１０号", _MIHON_CITY, tries_left=0,
    ),
    Person(
        "saburo", "想定　三郎", "7145", "暗証番号の残り回数が1回", "One try left for the PIN", date(1968, 6, 30), "1",
        "千葉県みほん市本町９番地", _MIHON_CITY, older_generation=True, tries_left=1,
    ),
    Person(
        "haruto", "小川　はると", "8256", "15歳未満。署名用電子証明書なし", "Under 15: no signature certificate",
        date(2017, 8, 21), "1", "千葉県みほん市若葉五丁目６番７号", _MIHON_CITY, sign_pin=None,
    ),
    Person(
        "minh", "グエン・ミン", "9367", "外国人住民。有効期間は在留期間の満了日まで",
        "Foreign resident: valid to the end of stay", date(1990, 12, 5), "2", "千葉県みほん市湯元４５番地６",
        _MIHON_CITY, japanese=False,
    ),
    Person(
        "takako", "𠮷野　髙子", "1470", "氏名・住所に特殊な文字、長い住所", "Rare characters, long address",
        date(1946, 10, 11), "2",
        "千葉県みほん市﨑浜一丁目２３番４５号　グランドメゾン架空の森ノースタワーウエストウイング２９０１号　見本様方",
        _MIHON_CITY,
        substitutions=(("𠮷", "吉"), ("髙", "高"), ("﨑", "崎")),
    ),
    Person(
        "kyoko", "更新　京子", "2581", "電子証明書を更新したばかり", "Certificate just renewed", date(1979, 11, 3), "2",
        "千葉県みほん市新町一丁目１番２号", _MIHON_CITY, Condition.RENEWED,
    ),
    Person(
        "nagisa", "転居　なぎさ", "3692", "引っ越した。署名用は失効、利用者証明用は有効",
        "Moved: signature certificate dead, authentication good", date(2000, 5, 25), "2", "千葉県みほん市新田８番地２",
        _MIHON_CITY, Condition.MOVED,
    ),
    Person(
        "library-card", "図書館カード", "", "マイナンバーカードではないカード", "A card that is not a My Number Card",
        date(2000, 1, 1), "9", "住所はありません", _MIHON_CITY, sign_pin=None, foreign=True,
    ),
    Person(
        "sentinel", "番兵　九", "SENTINEL9Q7Z", "漏えい検査用", "For leak tests", date(1985, 2, 28), "9",
        "千葉県みほん市大字見張９番地", _MIHON_CITY, label="JPKIAPSIMTOKEN", hidden=True,
    ),
)  # fmt: skip


def derive_people(now: datetime) -> tuple[Person, ...]:
    """All people as of `now`: two dates follow the calendar so that a demo made on any day shows what its note says."""
    today = now.astimezone(JST).date()
    soon = (today + timedelta(days=50)).replace(day=15)  # 34 to 64 days ahead, and the same for a month of starts
    people = []
    for person in _PEOPLE:
        if person.condition is Condition.EXPIRING:
            person = replace(person, birth=soon.replace(year=person.birth.year))
        if not person.japanese:
            person = replace(person, stay_until=date(today.year + 2, 3, 31))
        people.append(person)
    return tuple(people)
