"""`openapi.json` says what the API does, no more and no less; the page for people has all of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from kiosk_web.web.api.docs_page import render_docs
from kiosk_web.web.api.openapi import build_openapi, build_schemas
from kiosk_web.web.api.operations import OPERATIONS, Operation
from kiosk_web.web.api.problems import PROBLEMS

SERVER = "https://kiosk-api.example"
DOCUMENT = build_openapi(SERVER)


def find_references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(find_references(part) for part in value.values()))
    return set().union(*(find_references(part) for part in value)) if isinstance(value, list) else set()


def test_every_schema_is_one_of_json_schema_2020_12_and_every_reference_leads_somewhere() -> None:
    for schema in build_schemas().values():
        Draft202012Validator.check_schema(schema)
    names = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert find_references(DOCUMENT) <= names


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_an_operation_names_every_problem_it_may_have(operation: Operation) -> None:
    assert set(operation.codes) <= set(PROBLEMS)
    described = DOCUMENT["paths"][operation.whole_path][operation.method.lower()]
    statuses = {str(PROBLEMS[code].status) for code in operation.codes}
    success = {str(status) for status in (operation.status, operation.created) if status is not None}
    assert set(described["responses"]) == {*success, *statuses}
    assert ("security" in described) == operation.needs_token


def test_no_object_takes_a_field_that_is_not_described() -> None:
    for name, schema in build_schemas().items():
        assert schema["additionalProperties"] is False, name


def test_the_page_has_every_operation_schema_field_and_problem_and_nothing_from_elsewhere() -> None:
    page = render_docs(SERVER, demo=False)
    assert "<script" not in page
    assert set(re.findall(r'(?:src|href)="((?!#)[^"]*)"', page)) == {
        "/api/v1/openapi.json",
        "/api/v1/static/api.css",
        "/api/v1/static/fonts/fonts.css",
        "/api/v1/static/icon.svg",
        "/api/v1/static/page.css",
        "/api/v1/static/vendor/design-tokens/tokens.css",
    }
    ids = set(re.findall(r'id="([^"]+)"', page))
    assert ids >= {operation.id for operation in OPERATIONS}
    assert ids >= {f"schema-{name}" for name in build_schemas()} | {f"problem-{code}" for code in PROBLEMS}
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids
    for schema in build_schemas().values():
        assert [name for name in schema["properties"] if f"<code>{name}</code>" not in page] == []


def test_the_page_of_a_demo_says_that_it_is_one() -> None:
    assert "デモ環境・架空のデータ" in render_docs(SERVER, demo=True)
    assert "ribbon" not in render_docs(SERVER, demo=False)
