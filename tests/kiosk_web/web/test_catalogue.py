"""The catalogues: the same keys and placeholders in each language, every one used, none missing, in public words."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from kiosk_web.identity.links import LINK_REFUSALS
from kiosk_web.identity.standing import SignatureState
from kiosk_web.services.lists.alarms import AlarmName
from kiosk_web.services.terminals.monitoring import TOLD_OUTCOMES
from kiosk_web.session.codes import CODES, HANDOVER_CODES
from kiosk_web.web.catalogue import LANGUAGES, load_catalogue, load_catalogues
from kiosk_web.web.consent import POINTS, ROWS
from kiosk_web.web.environment import TEMPLATES
from kiosk_web.web.render import STATES, STEPS, TEXT_SIZES

CATALOGUES = load_catalogues()
JAPANESE = CATALOGUES["ja"].messages
PARTS = ("title", "text", "action", "remedy")
SAID = re.compile(r"""(?:say\(|messages\[)\s*["']([a-z_.]+)["']\s*(~)?""")
HINTS = ("not_my_number_card", "card_mute", "reader_missing", "service_down", "access_denied", "reader_busy")
BUILT = {  # keys that templates put together: the first part, and every last part there is
    "size.": TEXT_SIZES,
    "steps.": STEPS,
    "hint.": HINTS,
    "result.": ("ppid", "mykey_id"),
    "result.checked.": ("ocsp", "crl", "window", "manager", "automatic"),
    "code.": tuple(f"{name}.{part}" for name in CODES for part in PARTS),
    "handover.code.": (
        *(f"{name}.{part}" for name in HANDOVER_CODES for part in ("text", "remedy")),
        "card.text",
        "other.text",
    ),
    "handover.library.": ("usable", "blocked", "unknown", "unreachable"),
    "standing.items.": ("unchanged", "changed", "first", "unknown"),
    "standing.signature.": get_args(SignatureState),
    "standing.advice.": ("changed", "unknown"),
    "desk.done.": ("find", "add", "end", "kazashi"),
    "link.refused.": LINK_REFUSALS,
    "staff.state.": (*STATES, "offline"),
    "staff.outcome.": tuple(sorted(set(TOLD_OUTCOMES.values()))),
    "staff.fallback.": ("asked", "unasked"),
    "staff.lists.": get_args(AlarmName),
    "birth.": ("year", "month", "day", "expiry"),
    "birth.era.": ("reiwa", "heisei", "showa", "taisho", "western"),
    "terms.": ("up", "down", "close"),
    "records.terms.": ("terms_of_use", "privacy_policy"),
    "records.mykey.": ("issued", "stopped", "superseded"),
    "records.never.": ("number", "pin", "certificate", "items"),
    "sent.": ("name", "address", "birth", "sex"),
    "sent.sex.": ("1", "2", "9"),
    "kazashi_set.": ("on.title", "on.lead", "off.title", "off.lead"),
    "staff.fallback.cause.": ("window", "manager", "automatic"),
}

CONSENT = {  # what `web/consent.py` says
    *(f"consent.{subject}.{part}" for subject in ("kazashi", "basic_four") for part in ("title", "lead")),
    *(f"consent.kazashi.{point}" for point in POINTS),
    *(f"consent.basic_four.{row}.label" for row in ROWS),
    *(f"consent.basic_four.{part}" for part in ("items", "here", "never", "sign")),
}


def placeholders(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name is not None}


def template_text() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.glob("[ks]*/**/*.html")))


def test_every_language_has_the_same_keys_with_the_same_placeholders() -> None:
    for language in LANGUAGES:
        messages = CATALOGUES[language].messages
        assert messages.keys() == JAPANESE.keys()
        for key, message in messages.items():
            assert placeholders(message) == placeholders(JAPANESE[key]), (language, key)


def test_every_key_in_a_template_exists_and_every_key_is_used() -> None:
    exact, prefixes = set(), set()
    for key, built in SAID.findall(template_text()):
        (prefixes if built else exact).add(key)
    assert exact <= JAPANESE.keys()
    assert prefixes == BUILT.keys()
    assert exact | CONSENT | {start + end for start, ends in BUILT.items() for end in ends} == JAPANESE.keys()


def test_residents_read_no_technical_word() -> None:
    for key, message in JAPANESE.items():
        if key.startswith(("staff.", "desk.", "link.")) or key.endswith(".remedy"):
            continue
        assert "PIN" not in message.replace("PPID", ""), key
        assert not re.search(r"紐付け|OCSP|CRL|マイナンバーを読", message), key


def test_could_not_confirm_is_never_said_to_be_invalid() -> None:
    for code in CODES.values():
        if code.group == "confirmation":
            assert "無効だという意味ではありません" in JAPANESE[f"code.{code.name}.text"]
            english = CATALOGUES["en"].messages[f"code.{code.name}.text"]
            assert "does not mean that your card is invalid" in english


def test_an_untranslated_entry_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ja.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "a"\nmsgstr ""\n'
    )
    monkeypatch.setattr("kiosk_web.web.catalogue.LOCALES", tmp_path)
    with pytest.raises(ValueError, match="'a' is not translated"):
        load_catalogue("ja")
