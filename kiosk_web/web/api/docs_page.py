"""The page `/api/v1/docs`: the same operations, schemas and problems for people, without a script and offline."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from kiosk_web import __version__
from kiosk_web.web.api.openapi import build_schemas
from kiosk_web.web.api.operations import OPERATIONS, PREFIX
from kiosk_web.web.api.problems import PROBLEMS
from kiosk_web.web.catalogue import load_catalogues
from kiosk_web.web.environment import build_environment


@cache
def render_docs(server: str, *, demo: bool) -> str:
    """The whole page. `server` is the public address of the API; `demo` puts the ribbon on it."""
    environment = build_environment()
    environment.filters.update(code=_split_code, kind=describe_schema)
    return environment.get_template("api/docs.html").render(
        version=__version__,
        demo=demo,
        catalogues=load_catalogues(),
        server=server,
        prefix=PREFIX,
        operations=OPERATIONS,
        schemas=build_schemas(),
        problems=PROBLEMS,
    )


def _split_code(text: str) -> list[tuple[bool, str]]:
    """Prose with `code` in it, as (is code, text)."""
    return [(number % 2 == 1, part) for number, part in enumerate(text.split("`")) if part]


def describe_schema(schema: Mapping[str, Any]) -> str:
    """What a value may be, in a few words."""
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(describe_schema(part) for part in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    return f"{schema['type']} ({schema['format']})" if "format" in schema else str(schema["type"])
