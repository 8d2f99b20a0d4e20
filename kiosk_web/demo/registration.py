"""What a demo adds to its own kiosk with the commands of an operator: its terminal, and a member of staff."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

from kiosk_web.demo.children import Children
from kiosk_web.program import bridge_program, kiosk_program
from kiosk_web.state_file import load_json

TERMINAL = "demo"
_OURS = re.compile(rf"{TERMINAL}(-\d{{4}})?")
STAFF = "みほん図書館 職員"
STAFF_NUMBER = "1001"


class Registration:
    """`server`: folder of the kiosk's data; `bridge`: of the bridge's state; `simulator`: of the virtual cards."""

    def __init__(self, server: Path, bridge: Path, simulator: Path, children: Children) -> None:
        self._server = server
        self._bridge = bridge
        self._staff_file = simulator / "staff.json"
        self._children = children

    def has_terminal(self, origin: str) -> bool:
        """True when the bridge's state belongs to this database and to the page's origin of today."""
        enrolment = load_json(self._bridge / "terminal.json")
        return self._server.is_dir() and enrolment.get("origin") == origin

    def add_terminal(self, server: str) -> None:
        """The bridge as a new terminal, by the address `server`. One of an earlier start at other ports is revoked,
        or staff would see it dead for good.
        """
        name = TERMINAL
        if (self._bridge / "terminal.json").exists():
            name = f"{TERMINAL}-{random.SystemRandom().randrange(10_000):04}"
            listed = self._children.ask("terminal", [*self._terminal_command("list"), "--json"])
            for known in json.loads(listed):
                if known["condition"] != "revoked" and _OURS.fullmatch(known["name"]):
                    self._children.ask("terminal", self._terminal_command("revoke", known["name"]))
        command = [*self._terminal_command("add", name), "--json"]
        code = json.loads(self._children.ask("terminal", command))["code"]
        command = [*bridge_program(), "enrol", f"--server={server}", f"--code={code}", f"--state={self._bridge}"]
        self._children.ask("enrol", [*command, "--replace"])
        self._staff_file.unlink(missing_ok=True)  # of another database

    def add_staff(self) -> None:
        """One fictional member of staff of the terminal's facility, unless there is one. The secret is new, and the
        demo's alone; the tray finds it in the file, to show the codes of an authenticator.
        """
        if self._staff_file.exists():
            return
        command = [
            *kiosk_program(),
            "staff",
            "add",
            STAFF,
            f"--number={STAFF_NUMBER}",
            f"--data={self._server}",
            "--json",
        ]
        member = json.loads(self._children.ask("staff", command))
        content = {name: member[name] for name in ("name", "number", "secret")}
        self._staff_file.touch(mode=0o600)
        self._staff_file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    def _terminal_command(self, *arguments: str) -> list[str]:
        return [*kiosk_program(), "terminal", *arguments, f"--data={self._server}"]
