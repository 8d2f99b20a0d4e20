"""The JSON of `kiosk verify`: its schema holds exactly the words that the code knows."""

from __future__ import annotations

import ast
import inspect
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
from cryptography import x509

from kiosk_web.pki import crl, crl_entries, crl_status, crl_trust
from kiosk_web.pki.steps import (
    CRL_STEP_OF,
    CRL_STEPS,
    LOOKUP_STEP_OF,
    LOOKUP_STEPS,
    OCSP_STEP_OF,
    OCSP_STEPS,
    TRUST_STEPS,
    Step,
)
from kiosk_web.verify.evidence import Exhibit
from kiosk_web.verify.judgement import Outcome, Verification
from kiosk_web.verify.report import write_json, write_text

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/verification.schema.json").read_text(encoding="utf-8"))
WORDS = CRL_STEP_OF.keys() | LOOKUP_STEP_OF.keys() | OCSP_STEP_OF.keys() | {"no_policy"}
CRL_REASONS = {flag.value for flag in x509.ReasonFlags}
MOMENT = datetime(2026, 11, 23, 12, 0, 0, 999, tzinfo=timezone(timedelta(hours=9)))


def build(**changes: object) -> Verification:
    fields: dict[str, object] = {
        "outcome": "good",
        "reason": None,
        "steps": (Step("trust.0.form", "passed"), Step("verdict", "passed", "good")),
        "evidence": (
            Exhibit("crl", b"\2" * 32, "b.crl", MOMENT, MOMENT, crl_number=9, signer="issuer", decisive=True),
            Exhibit("certificate", b"\1" * 32, "card"),
            Exhibit("crl", b"\1" * 32, "a.crl", refused="delta"),
        ),
        "judged_at": MOMENT,
    }
    return Verification(**(fields | changes))  # type: ignore[arg-type]


def test_the_schema_is_one_and_accepts_what_is_written() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(write_json(build())), SCHEMA)


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "fine"},
        {"reason": "because"},
        {"steps": ()},
        {"steps": (Step("trust.9.luck", "passed"),)},
        {"evidence": (Exhibit("crl", b"\1", refused="delta"),)},
    ],
)
def test_the_schema_is_closed(changes: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(write_json(build(**changes))), SCHEMA)


def test_the_schema_has_exactly_the_words_of_the_code() -> None:
    properties, parts = SCHEMA["properties"], SCHEMA["$defs"]
    assert tuple(properties["outcome"]["enum"]) == get_args(Outcome)
    assert set(properties["reason"]["enum"]) == {None, *TRUST_STEPS, *WORDS, *CRL_REASONS}
    assert set(crl_entries.REASONS.values()) <= CRL_REASONS
    assert set(parts["exhibit"]["properties"]["refused"]["enum"]) == {None, *WORDS}
    assert parts["step"]["properties"]["step"]["enum"] == [
        *TRUST_STEPS,
        "policy",
        "ocsp",
        *OCSP_STEPS,
        *CRL_STEPS,
        "lists",
        *LOOKUP_STEPS,
        "proof.signature",
        "verdict",
    ]


def words_of(module: object) -> set[str]:
    """Every word with which a module refuses a list or a look-up, as it stands in the code."""
    words: set[str] = set()
    for node in ast.walk(ast.parse(inspect.getsource(module))):  # type: ignore[arg-type]
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("RefusedCrl", "Unavailable", "Stale"):
            words |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "MalformedCrl" and len(node.args) > 1:
            words |= {node.args[1].value} if isinstance(node.args[1], ast.Constant) else set()
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            words.add(node.value.value)
    return {word for word in words if re.fullmatch("[a-z_]+", word)} - {"list_from_the_future"}


def test_every_word_of_a_refused_list_belongs_to_a_step() -> None:
    assert words_of(crl) | words_of(crl_entries) | words_of(crl_trust) <= CRL_STEP_OF.keys() | {"malformed"}
    assert words_of(crl_status) <= LOOKUP_STEP_OF.keys()
    assert set(CRL_STEP_OF.values()) == set(CRL_STEPS)
    assert set(LOOKUP_STEP_OF.values()) <= set(LOOKUP_STEPS)


def test_evidence_is_sorted_and_times_are_utc() -> None:
    document = json.loads(write_json(build()))
    assert [(exhibit["kind"], exhibit["source"]) for exhibit in document["evidence"]] == [
        ("certificate", "card"),
        ("crl", "a.crl"),
        ("crl", "b.crl"),
    ]
    assert document["evidence"][2]["this_update"] == "2026-11-23T03:00:00Z"
    assert list(document) == sorted(document)


def test_text_leaves_out_what_was_not_reached() -> None:
    steps = (Step("trust.0.form", "failed", "no"), Step("trust.1.key", "skipped"), Step("ocsp", "skipped", "nobody"))
    text = write_text(build(outcome="malformed", reason="trust.0.form", steps=steps, judged_at=MOMENT.astimezone(UTC)))
    assert "outcome    malformed (trust.0.form)\njudged at  2026-11-23T03:00:00Z\n" in text
    assert "trust.1.key" not in text
    assert "skipped  ocsp          nobody" in text


def test_the_name_of_a_file_may_be_no_text() -> None:
    verification = build(evidence=(Exhibit("certificate", b"\1" * 32, "card\udcff"),))
    assert "card\\udcff" in write_text(verification)
    assert json.loads(write_json(verification))["evidence"][0]["source"] == "card\udcff"
