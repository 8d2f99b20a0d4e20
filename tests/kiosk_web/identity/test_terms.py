"""The texts of the operator: read strictly, shown as words alone, accepted by version."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kiosk_web.adapters.terms_files import load_terms
from kiosk_web.identity.terms import (
    KINDS,
    MOST_CHANGES,
    Block,
    TermsRefused,
    derive_versions,
    find_unaccepted,
    judge_languages,
    read_terms,
)

HEAD = "---\ntitle: 利用規約\nversion: 2026-11\ndate: 2026-11-01\n---\n"


def test_headings_paragraphs_and_points_are_told_apart() -> None:
    text = read_terms(HEAD + "はじめに\n読む文。\n\n## できること\n- 一つ\n- 二つ\n\n## <b>二</b>\n\nEnd of\nit.\n")
    assert (text.title, text.version, text.published_on) == ("利用規約", "2026-11", date(2026, 11, 1))
    assert text.blocks == (
        Block("paragraph", ("はじめに読む文。",)),
        Block("heading", ("できること",)),
        Block("points", ("一つ", "二つ")),
        Block("heading", ("<b>二</b>",)),
        Block("paragraph", ("End of it.",)),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "words\n",
        "title: x\n",
        "---\ntitle: x\n",
        "words\n" + HEAD + "a",
        HEAD.replace("title: 利用規約", "title") + "a",
        HEAD.replace("title: 利用規約", "title: 利用規約\nchanges") + "a",
        "words\n---\ntitle: a\n---\nb",
        HEAD,
        HEAD.replace("title: 利用規約", "title:") + "a",
        HEAD.replace("date: 2026-11-01", "date: 1 November") + "a",
        HEAD.replace("version: 2026-11", "version: a b") + "a",
        HEAD.replace("version: 2026-11\n", "") + "a",
        HEAD.replace("version: 2026-11", "version: 1\nauthor: x") + "a",
        HEAD.replace("version: 2026-11", "version 1") + "a",
        HEAD.replace("version: 2026-11", f"version: 1\nchanges: {'x' * (MOST_CHANGES + 1)}") + "a",
    ],
)
def test_a_text_that_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(TermsRefused):
        read_terms(text)


def test_all_languages_have_one_version() -> None:
    one, other = read_terms(HEAD + "a"), read_terms(HEAD.replace("2026-11\n", "2026-12\n") + "a")
    judge_languages({"ja": one, "en": one})
    with pytest.raises(TermsRefused):
        judge_languages({"ja": one, "en": other})
    told = read_terms(HEAD.replace("date:", "changes: 開館時間が変わりました。\ndate:") + "a")
    assert told.changes == "開館時間が変わりました。"
    judge_languages({"ja": told, "en": told})
    with pytest.raises(TermsRefused):
        judge_languages({"ja": told, "en": one})


def test_a_new_version_is_to_be_accepted_again() -> None:
    current = {"terms-of-use": "2", "privacy-policy": "1"}
    assert find_unaccepted(current, {}) == KINDS  # type: ignore[arg-type]  # kinds
    assert find_unaccepted(current, {"terms-of-use": "1", "privacy-policy": "1"}) == ("terms-of-use",)  # type: ignore[arg-type]
    assert find_unaccepted(current, current) == ()  # type: ignore[arg-type]


def test_the_texts_of_the_demo_can_be_shown_and_a_folder_without_one_is_named(tmp_path: Path) -> None:
    terms = load_terms(None, ("ja", "en"))
    assert derive_versions(terms) == {"terms-of-use": "demo-1", "privacy-policy": "demo-1"}
    assert [block.kind for block in terms["privacy-policy"]["ja"].blocks].count("heading") == 5
    with pytest.raises(TermsRefused, match=r"terms-of-use\.ja\.md"):
        load_terms(tmp_path, ("ja", "en"))


def test_a_line_in_the_text_is_no_front_matter_and_empty_lines_are_nothing() -> None:
    head = HEAD.replace("title: 利用規約", "\n  title:   利用規約  ")
    text = read_terms("\n" + head + "\n \n##   一  \n\n-   a  \n - b\n\n- a\nb\n\n A \n。 B\n---\n")
    assert text.title == "利用規約"
    assert text.blocks == (
        Block("heading", ("一",)),
        Block("points", ("a", "b")),
        Block("paragraph", ("- a b",)),
        Block("paragraph", ("A 。 B ---",)),
    )
    changes = HEAD.replace("date:", f"changes: {'x' * MOST_CHANGES}\ndate:")
    assert len(read_terms(changes + "a").changes) == MOST_CHANGES


def test_a_document_that_is_not_shown_any_more_is_not_to_be_accepted() -> None:
    assert find_unaccepted({"terms-of-use": "2"}, {"privacy-policy": "1"}) == ("terms-of-use",)
