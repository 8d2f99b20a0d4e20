"""What happens to people and their cards, by the municipal office's own commands, before the whole server: the virtual
JPKI answers as responder and as register, a terminal in software visits. `docs/life-events.md` names each test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kiosk_web.errors import IdentityError
from kiosk_web.identity.persons import CertificateName
from kiosk_web.services.links.files import LinkFileService
from kiosk_web.services.persons.mykey import MyKeyService
from kiosk_web.services.persons.relink import RelinkService
from kiosk_web.session.states import Result
from kiosk_web.settings.server import Settings
from kiosk_web.simulator.settings import SimulatorSettings
from kiosk_web.wiring.server import Server, build_server
from tests.kiosk_web.simulator.conftest import Running, serving
from tests.support.database import lay_database
from tests.support.jpki import Issued
from tests.support.kiosk_server import ORIGIN, PORT
from tests.support.numbers import number
from tests.support.terminal import Stage, Terminal

pytestmark = pytest.mark.anyio
LIBRARY, NUMBER = "city-library", number(1)
STAFF = ("鈴木", "life event")


def read_clock() -> datetime:
    return datetime.now(UTC)


@dataclass
class Town:
    """The office and one kiosk with one terminal."""

    running: Running
    server: Server
    terminal: Terminal

    def office(self, person: str, command: str, **body: str) -> None:
        self.running.tray.post(f"/people/{person}/{command}", json=body or None).raise_for_status()

    def card(self, person: str) -> Issued:
        folder = self.running.folder / "cards" / person
        key = load_pem_private_key(folder.joinpath("auth-key.pem").read_bytes(), None)
        certificate = x509.load_der_x509_certificate(folder.joinpath("auth-cert.der").read_bytes())
        return Issued(key, certificate)  # type: ignore[arg-type]  # an RSA key

    async def visit(self, person: str, service: str = "library", *, tries_left: int = 3) -> Stage:
        """Until it ends, with the register's answer if there is one."""
        await self.terminal.take_card()
        await self.terminal.send("finished")
        await self.terminal.begin(service)
        card = self.card(person)
        stage = await self.terminal.read_card(card, tries_left=tries_left)
        await self.server.sessions.settle()
        if stage.state == "refused" or (stage := await self.terminal.send("extended")).state == "refused":
            return stage
        await self.terminal.submit_pin()
        stage = await self.terminal.sign(card)
        if stage.state == "result":
            await self.result()
            await self.server.standings.settle()
            stage = await self.terminal.send("extended")
        return stage

    async def result(self) -> Result:
        state = (await self.server.sessions.load(self.terminal.id)).state
        assert isinstance(state, Result)
        return state

    async def identify(self, person: str, service: str = "library") -> str:
        stage = await self.visit(person, service)
        assert stage.state == "result", stage.code
        return (await self.result()).identifier

    async def link(self, person: str) -> str:
        """Link the person to `NUMBER`; the MyKey ID."""
        mykey_id = await self.identify(person)
        reference = (await self.result()).visit.reference
        await self.server.linking.link_visit(reference, LIBRARY, NUMBER, *STAFF, "desk")
        return mykey_id

    async def linked_number(self, person: str) -> str | None:
        await self.identify(person)
        reference = (await self.result()).visit.reference
        return (await self.server.linking.look_up_visit(reference, LIBRARY, *STAFF)).user_number

    async def judge_by_lists(self, name: CertificateName) -> str:
        """The lists of the virtual JPKI, read by another hand."""
        for entry in self.running.ocsp.get("/crl").json()["lists"]:
            if entry["authority_key_id"] == name.issuer_key_id.hex():
                found = x509.load_der_x509_crl(self.running.ocsp.get(entry["url"]).content)
                if found.get_revoked_certificate_by_serial_number(name.serial) is not None:
                    return "revoked"
        return "not_listed"


@asynccontextmanager
async def open_town(running: Running, folder: Path) -> AsyncIterator[Town]:
    data = folder / "kiosk"
    lay_database(data)
    settings = Settings(
        data=data,
        port=PORT,
        anchors=running.ready.anchors,
        ocsp_url=running.ready.ocsp,
        verifier={"user_authentication": "demo", "signature": "demo"},  # type: ignore[arg-type]  # read by pydantic
        register_service={"url": f"{running.ready.ocsp}services", "budget_seconds": 10},  # type: ignore[arg-type]
    )
    async with build_server(settings) as server:
        transport = httpx2.ASGITransport(server.resident, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            terminal = Terminal(client)
            invitation = await server.enrolment.add_terminal("hall-1")
            assert (await terminal.enrol(invitation.code)).status_code == 201
            assert (await terminal.open_page()).state == "choosing_service"
            yield Town(running, server, terminal)


@pytest.fixture
async def town(running: Running, tmp_path: Path, anyio_backend: str) -> AsyncIterator[Town]:
    async with open_town(running, tmp_path) as opened:
        yield opened


async def test_renewal_keeps_identifiers_and_link(town: Town) -> None:
    mykey_id, ppid = await town.link("midori"), await town.identify("midori", "facility")
    town.office("midori", "renew")
    assert await town.identify("midori") == mykey_id
    assert await town.identify("midori", "facility") == ppid
    assert await town.linked_number("midori") == NUMBER


async def test_a_reissued_card_is_a_new_person_until_staff_relink_it(town: Town) -> None:
    mykey_id = await town.link("midori")
    town.office("midori", "issue")
    assert await town.identify("midori") != mykey_id
    reference = (await town.result()).visit.reference
    relinking = RelinkService(
        store=town.server.store, linking=town.server.linking, judge=town.judge_by_lists, clock=read_clock
    )
    await relinking.relink(reference, LIBRARY, NUMBER, *STAFF)
    assert await town.identify("midori") == mykey_id
    assert await town.linked_number("midori") == NUMBER


async def test_another_persons_new_card_is_not_relinked_while_the_old_one_is_good(town: Town) -> None:
    await town.link("midori")
    await town.identify("minh")
    reference = (await town.result()).visit.reference
    relinking = RelinkService(
        store=town.server.store, linking=town.server.linking, judge=town.judge_by_lists, clock=read_clock
    )
    with pytest.raises(IdentityError, match="old_certificate_good"):
        await relinking.relink(reference, LIBRARY, NUMBER, *STAFF)


async def test_a_lost_card_is_refused_and_works_again_once_it_is_found(folder: Path, tmp_path: Path) -> None:
    with serving(SimulatorSettings(folder, grid_seconds=1)) as running:
        async with open_town(running, tmp_path) as town:
            mykey_id = await town.link("midori")
            town.office("midori", "hold")
            assert (await town.visit("midori")).code in ("certificate_on_hold", "status_stale")
            town.office("midori", "release")
            # A lifted hold is believed only with an answer newer than the one that told of it.
            while (stage := await town.visit("midori")).state == "refused":
                assert stage.code in ("certificate_on_hold", "status_stale")
            assert await town.linked_number("midori") == NUMBER
            assert await town.identify("midori") == mykey_id


async def test_who_moved_or_changed_names_is_told_to_tell_the_counter(town: Town) -> None:
    """The register knows both events in the same way: the items changed, the signature certificate ended."""
    ppid = await town.identify("midori", "facility")
    town.office("midori", "move", address="千葉県みほん市港町一丁目１番")
    stage = await town.visit("midori", "facility")
    assert (stage._attribute("items"), stage._attribute("signature")) == ("changed", "revoked")
    assert (await town.result()).identifier == ppid


async def test_a_child_has_no_signature_certificate_and_is_served(town: Town) -> None:
    stage = await town.visit("haruto", "facility")
    assert (stage.state, stage._attribute("signature")) == ("result", "none_issued")


async def test_a_card_whose_pin_is_locked_by_design_is_refused_without_blame(town: Town) -> None:
    stage = await town.visit("aoi", tries_left=0)
    assert (stage.state, stage.code) == ("refused", "pin_locked")
    assert "いまお使いいただけません" in stage.html
    assert "間違" not in stage.html


async def test_a_death_ends_link_and_mykey_id_by_the_librarys_own_file(town: Town) -> None:
    mykey_id = await town.link("midori")
    files = LinkFileService(store=town.server.store, offer=town.server.settings.build_offer(), clock=read_clock)
    report = await files.unlink(
        LIBRARY, f"{NUMBER}\n".encode(), "utf-8", *STAFF, dry=False, advance=lambda done, total: None
    )
    assert report.rows == ((1, "unlinked"),)
    mykey = MyKeyService(store=town.server.store, issuance=town.server.issuance, clock=read_clock)
    await mykey.stop(mykey_id, *STAFF)
    assert (await town.visit("midori")).code == "mykey_id_stopped"
    town.office("midori", "revoke")
    assert (await town.visit("midori")).code == "certificate_revoked"
    with pytest.raises(IdentityError, match="not_linked"):
        await town.server.linking.look_up_number(LIBRARY, NUMBER, *STAFF)
