"""The log lets through what it knows and masks the rest."""

from __future__ import annotations

import io
import json
import logging

import structlog

from kiosk_web.log import configure_log


def test_unknown_keys_long_tokens_and_control_characters_do_not_pass() -> None:
    stream = io.StringIO()
    configure_log(stream)
    structlog.get_logger().warning(
        "request", path="/k/events\n{}", certificate="MIIC", reason="A" * 64, code="123456789012"
    )
    line = json.loads(stream.getvalue())
    assert (line["certificate"], line["reason"], line["code"]) == ("(left out)", "…", "…")
    assert "\n" not in line["path"]


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
