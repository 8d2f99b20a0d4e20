"""The files that an operator copies: they parse, and they speak of the same addresses as the programs."""

from __future__ import annotations

import base64
import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.main import get_command

import bridge.__main__
from kiosk_web.demo.ports import DEFAULT_PORT, HOST

DEPLOY = Path(__file__).parent.parent / "deploy"
ORIGINS = {"single-layout.json": f"http://{HOST}:{DEFAULT_PORT}", "direct-layout.json": "https://kiosk.example"}
UNITS = ["kiosk.service", "kiosk-bridge.service"]


def load_policy(name: str) -> dict[str, object]:
    """As a browser does: a key that is there twice would silently lose one value."""

    def refuse_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    policy = json.loads((DEPLOY / "browser" / name).read_text(encoding="utf-8"), object_pairs_hook=refuse_doubles)
    assert isinstance(policy, dict)
    return policy


def load_unit(name: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes=("#",), delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names of settings are case-sensitive
    unit.read(DEPLOY / "systemd" / name, encoding="utf-8")
    return unit


@pytest.mark.parametrize("name", ORIGINS)
def test_a_policy_opens_our_page_and_no_other(name: str) -> None:
    policy = load_policy(name)
    assert policy["URLBlocklist"] == ["*"]
    assert policy["URLAllowlist"] == [ORIGINS[name]]
    assert policy["RestoreOnStartupURLs"] == [ORIGINS[name] + "/"]


@pytest.mark.parametrize("name", ORIGINS)
@pytest.mark.parametrize("key", ["LoopbackNetworkAllowedForUrls", "LocalNetworkAccessAllowedForUrls"])
def test_a_policy_lets_our_page_and_no_other_reach_the_bridge(name: str, key: str) -> None:
    assert load_policy(name)[key] == [ORIGINS[name]]


@pytest.mark.parametrize("name", ORIGINS)
def test_every_address_in_a_policy_is_an_origin_we_mean(name: str) -> None:
    text = (DEPLOY / "browser" / name).read_text(encoding="utf-8")
    origins = {f"{url.scheme}://{url.netloc}" for url in map(urlsplit, re.findall(r'"(https?://[^"]+)"', text))}
    assert origins == {ORIGINS[name]}


@pytest.mark.parametrize("name", ORIGINS)
def test_a_policy_keeps_nothing_and_shows_no_tools(name: str) -> None:
    policy = load_policy(name)
    assert policy["DeveloperToolsAvailability"] == 2
    assert policy["DownloadRestrictions"] == 3
    assert policy["ForceEphemeralProfiles"] is True
    assert policy["PasswordManagerEnabled"] is False
    assert policy["ExtensionInstallBlocklist"] == ["*"]


def test_both_policies_differ_in_the_origin_only() -> None:
    single, direct = (
        (DEPLOY / "browser" / name).read_text(encoding="utf-8").replace(origin, "ORIGIN")
        for name, origin in ORIGINS.items()
    )
    assert single == direct


@pytest.mark.parametrize("name", UNITS)
def test_a_service_runs_as_its_own_user_and_can_leave_no_core_dump(name: str) -> None:
    service = load_unit(name)["Service"]
    assert service["User"] == service["Group"] == name.removesuffix(".service")
    assert service["LimitCORE"] == "0"
    assert service["UMask"] == "0077"
    assert service["StateDirectoryMode"] == "0700"


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("CapabilityBoundingSet", ""),
        ("NoNewPrivileges", "yes"),
        ("PrivateDevices", "yes"),
        ("ProtectHome", "yes"),
        ("ProtectProc", "invisible"),
        ("ProtectSystem", "strict"),
        ("RestrictNamespaces", "yes"),
        ("SystemCallArchitectures", "native"),
    ],
)
def test_a_service_is_shut_in(name: str, setting: str, value: str) -> None:
    assert load_unit(name)["Service"][setting] == value


def test_the_bridge_reaches_loopback_only() -> None:
    service = load_unit("kiosk-bridge.service")["Service"]
    assert (service["IPAddressDeny"], service["IPAddressAllow"]) == ("any", "localhost")


def test_the_services_run_in_production() -> None:
    for name in UNITS:
        assert "--deployment production" in load_unit(name)["Service"]["ExecStart"]


def test_the_counters_session_starts_the_narrow_window_with_options_that_there_are() -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(DEPLOY / "autostart" / "kiosk-window.desktop", encoding="utf-8")
    program, command, *options = shlex.split(entry["Desktop Entry"]["Exec"])
    assert (Path(program).name, command) == ("kiosk-bridge", "window")
    parameters = get_command(bridge.__main__.app).commands[command].params  # type: ignore[attr-defined]
    assert {option for option in options if option.startswith("--")} <= {name for it in parameters for name in it.opts}


def test_every_user_of_a_service_is_made() -> None:
    text = (DEPLOY / "systemd" / "kiosk.sysusers.conf").read_text(encoding="utf-8")
    assert set(re.findall(r"^u (\S+) ", text, re.MULTILINE)) == {load_unit(name)["Service"]["User"] for name in UNITS}


def test_polkit_lets_the_bridge_alone_reach_the_card() -> None:
    rule = (DEPLOY / "polkit" / "60-kiosk-bridge.rules").read_text(encoding="utf-8")
    assert set(re.findall(r'"(org\.debian\.pcsc-lite\.\w+)"', rule)) == {
        "org.debian.pcsc-lite.access_pcsc",
        "org.debian.pcsc-lite.access_card",
    }
    assert re.findall(r'subject\.user === "([^"]+)" \? polkit\.Result\.YES : polkit\.Result\.NO', rule) == [
        "kiosk-bridge"
    ]


def test_the_proxy_example_publishes_the_staff_listener_and_never_the_residents() -> None:
    targets = re.findall(r"proxy_pass (\S+);", (DEPLOY / "nginx" / "staff.conf").read_text(encoding="utf-8"))
    assert set(targets) == {f"http://{HOST}:{DEFAULT_PORT + 2}"}


LDAPSEARCH = """\
#!/bin/sh
printf '%s\\n' "$*" >"$(dirname "$0")/asked"
cat "$(dirname "$0")/answer.ldif"
"""


@pytest.mark.skipif(not shutil.which("awk") or not shutil.which("base64"), reason="needs the tools of the system")
def test_the_example_for_ldap_puts_each_list_into_the_folder_as_a_whole(tmp_path: Path) -> None:
    tools, folder = tmp_path / "tools", tmp_path / "lists"
    tools.mkdir()
    folder.mkdir()
    (tools / "ldapsearch").write_text(LDAPSEARCH)
    (tools / "ldapsearch").chmod(0o755)
    lists = {f"CN=Town {number} CRLDP,C=JP": bytes(range(256)) * 5000 * (number + 1) for number in range(3)}
    entries = [
        f"dn: {name}\ncertificateRevocationList;binary:: {base64.b64encode(data).decode()}\n"
        for name, data in lists.items()
    ]
    for _ in range(2):  # the names stay the same from hour to hour
        (tools / "answer.ldif").write_text("\n".join(entries))
        command = ["sh", DEPLOY / "crl/kiosk-crl-ldap", "ldap://ldap.example", "C=JP", folder]
        subprocess.run(command, check=True, env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"})
        found = list(folder.iterdir())
        assert {path.name for path in found} == {f"CN-Town-{number}-CRLDP-C-JP.crl" for number in range(3)}
        assert sorted(path.read_bytes() for path in found) == sorted(lists.values())
    assert "-H ldap://ldap.example -b C=JP" in (tools / "asked").read_text()
