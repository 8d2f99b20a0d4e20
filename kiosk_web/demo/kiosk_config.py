"""The settings file of a demo's kiosk, as TOML: what no option of `kiosk serve` says. It is written at each start."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

from kiosk_web.demo.services import build_tables

_SOURCE = """\
[[crl.sources]]
name = "{name}"
kind = "http"
url = "{url}"
interval_minutes = 5

"""
# The responder goes and comes back by hand, and whoever brings it back wants to see that: its circuit stays closed.
_PATIENCE = "ocsp_circuit_failures = 1000\n\n"
_REGISTER = """\
[verifier]
user_authentication = "demo"
signature = "demo"

[register_service]
url = "{url}"

"""


def build_kiosk_config(
    *,
    data: Path,
    anchors: Path,
    desk: str,
    jpki: str,
    list_names: Sequence[str],
    card_issuers: Path,
    output_rules: Path,
    receiver: tuple[str, str] | None,
) -> str:
    """The register of the virtual JPKI, and the lists of all towns alike, so that a person can be confirmed by list
    while the responder is down.

    Whoever runs another command of `kiosk` with it means the same data, roots and responder.

    `data` and `anchors`: the server's folder, and that of the roots; `desk` and `jpki`: addresses of the desk and of
    the virtual JPKI, without a closing slash; `output_rules`: where the bridge keeps its rules of hand-over, if it has
    any; `receiver`: public key and address of the system that takes the basic 4 information, if there is one.
    """
    server, roots, issuers = (json.dumps(str(folder)) for folder in (data, anchors, card_issuers))  # TOML strings too
    text = f'deployment = "demo"\ndata = {server}\nanchors = {roots}\nocsp_url = "{jpki}/"\ndesk_origin = "{desk}"\n'
    text += _PATIENCE + _REGISTER.format(url=f"{jpki}/services")
    text += "".join(_SOURCE.format(name=name, url=f"{jpki}/crl/{name}.crl") for name in list_names)
    text += f"[kazashi]\ncard_issuers = {issuers}\n" + _build_handover(output_rules)
    return text if receiver is None else text + build_tables(*receiver)


def _build_handover(output_file: Path) -> str:
    """The library's number as a barcode; and where the bridge has rules of hand-over, what they allow."""
    text = '[handover.systems.city-library]\nbarcode = "nw7"\n'
    try:
        kind = tomllib.loads(output_file.read_text(encoding="utf-8")).get("output", "none")
    except (OSError, ValueError):
        return text
    if kind in ("wedge", "serial"):
        text += f'[handover.terminals."*"]\nlayout = "counter"\noutput = "{kind}"\n'
    return text
