"""For every test: nothing leaves this computer, the same examples are tried each time, and the slow ones are named."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator
from ipaddress import ip_address

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, LoadScopeScheduling


class NetworkInTest(BaseException):
    """A test tried to reach another computer. Not an Exception, so that no error handling under test can swallow it."""


def refuse_network(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook (PEP 578): it sees every connection and name look-up of this process, by whatever library."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # else a Unix socket
    else:
        return
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host not in (None, "", "localhost") and not is_loopback(str(host)):
        raise NetworkInTest(f"{event} {host}")


def is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return host.endswith((".invalid", ".localhost"))  # RFC 2606 and RFC 6761: these names lead nowhere, or here
    return address.is_loopback or address.is_unspecified


sys.addaudithook(refuse_network)

HEAVY = ("tests/e2e/", "tests/package/")
"""What takes longest begins first. Those of one folder share what they start, demos and browsers, or the frozen
programs: one process runs them all.
"""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a process of `-n`, which takes what comes first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(HEAVY))  # stable


def pytest_collection_finish() -> None:
    """Thousands of tests and their modules stay to the end: looking through them for garbage is a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """For `--dist loadfile`: a file's tests stay together, with what they share, and so do those of a heavy folder."""

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            folder = next((one for one in HEAVY if nodeid.startswith(one)), None)
            return folder or str(super()._split_scope(nodeid))

    return Together(config, log) if config.getoption("dist") == "loadfile" else None


MOST_CORE_SECONDS = 1.5
"""Three times what docs/tests.md calls long: of a core, by this process and those that it waited for, so that a busy
computer changes little. A first run, which fills the caches, may name a few more."""


def read_core_seconds() -> float:
    return sum(os.times()[:4])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    before = read_core_seconds()
    try:
        return (yield)
    finally:
        item.user_properties.append(("core_seconds", read_core_seconds() - before))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """In the fast part, where no test is marked `long`: who ought to be?"""
    if "not long" not in config.option.markexpr:
        return
    reports = [report for report in terminalreporter.getreports("passed") if report.when == "call"]
    spent = {report.nodeid: dict(report.user_properties).get("core_seconds", 0.0) for report in reports}
    slow = {name: seconds for name, seconds in spent.items() if seconds > MOST_CORE_SECONDS}
    if slow:
        terminalreporter.section("slow tests", yellow=True)
        terminalreporter.line("Make each faster, or mark it `long` for one of the reasons in docs/tests.md:")
        for name, seconds in sorted(slow.items(), key=lambda pair: -pair[1]):
            terminalreporter.line(f"{seconds:5.1f} s of a core  {name}")


# No clock and no luck in a verdict: a busy computer or another seed changes nothing. To look for new examples, and for
# thousands of them: pytest --hypothesis-profile=search
_PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same", **_PATIENT, derandomize=True)
settings.register_profile("search", **_PATIENT, max_examples=4000, print_blob=True)
settings.load_profile("same")


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run where the product does."""
    return "asyncio"
