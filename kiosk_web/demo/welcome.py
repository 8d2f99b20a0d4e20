"""What a demo prints once everything runs: where it is, and who the people are."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kiosk_web.demo.settings import DemoSettings


def print_welcome(console: Console, settings: DemoSettings, ready: Mapping[str, Any]) -> None:
    """Say where everything is, and who the people are."""
    addresses = Table(
        title="The demo is running", title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0)
    )
    for name, what in (
        ("desk", "everything on one page: open it in a browser"),
        ("kiosk", "the terminal"),
        (
            "tray",
            "the card tray: " + ("its own reader is off" if settings.pcsc else "put a card on the virtual reader"),
        ),
        ("staff", "the staff page"),
        ("library", "a library system that was there before"),
        ("facility", "a booking system"),
        ("homepage", "a city's home page, to sign in from home"),
        ("bridge", "the card reader's socket, for the page only"),
        ("personal", "the socket of the reader at home, for the home page only"),
    ):
        if name not in ready:
            continue
        addresses.add_row(name, Text(str(ready[name]), style="bold"), what)
    people = Table(title="Fictional people, their 暗証番号 and what to expect", title_justify="left")
    for column in ("person", "暗証番号", "expect"):
        people.add_column(column, no_wrap=column != "expect", overflow="fold")
    for person in ready["people"]:
        people.add_row(Text(str(person["name"])), Text(str(person["pin"]), style="bold"), Text(str(person["note"])))
    console.print(addresses)
    console.print()
    console.print(people)
    if settings.pcsc:
        console.print(
            "Real readers are used. A real card ends with 'certificate not trusted': the demo trusts its own JPKI only."
        )
        console.print("While no PC/SC service runs, the terminal says that its reader is being prepared.")
        console.print("The tray's cards come into a reader of vpcd by:")
        by_vpcd = ["python", "-m", "bridge.virtual", str(settings.data / "simulator"), "--vpcd", "127.0.0.1:35963"]
        console.print(Text(shlex.join(by_vpcd)), soft_wrap=True)
    if not settings.start_bridge:
        console.print("The bridge is yours to start:")
        console.print(Text(shlex.join(ready["bridge_command"])), soft_wrap=True)
    console.print(Text(f"Logs are in {settings.data / 'logs'}. Ctrl-C stops everything."), soft_wrap=True)
