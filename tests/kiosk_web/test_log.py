"""The log lets through what it knows and masks the rest."""

from __future__ import annotations

import ast
import io
import json
import logging
from pathlib import Path

import structlog

import kiosk_web
from kiosk_web.log import ALLOWED_KEYS, configure_log


def test_unknown_keys_long_tokens_and_control_characters_do_not_pass() -> None:
    stream = io.StringIO()
    configure_log(stream)
    structlog.get_logger().warning(
        "request", path="/k/events\n{}", certificate="MIIC", reason="A" * 64, code="123456789012"
    )
    line = json.loads(stream.getvalue())
    assert (line["certificate"], line["reason"], line["code"]) == ("(left out)", "…", "…")
    assert "\n" not in line["path"]


def test_what_the_program_tells_itself_passes() -> None:
    """A code of a redirect that came twice, say, names the client that brought it."""
    told: set[str] = set()
    for path in Path(kiosk_web.__file__).parent.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "structlog" not in source or path.name == "log.py":
            continue
        for call in ast.walk(ast.parse(source)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and "log" in ast.unparse(call.func):
                told |= {word.arg for word in call.keywords if word.arg is not None}
    assert {"client", "system", "terminal"} <= told
    assert told - ALLOWED_KEYS == set()


def test_the_message_of_a_library_is_not_quoted() -> None:
    stream = io.StringIO()
    configure_log(stream)
    try:
        raise ValueError("secret")
    except ValueError:
        logging.getLogger("some.library").exception("secret %s", "secret")
    line = json.loads(stream.getvalue())
    assert line["error"] == "ValueError"
    assert "secret" not in stream.getvalue()
