"""From a session's state to the view of one screen. PURE."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime

from kiosk_web.identity.offer import Offer, Service
from kiosk_web.pki.status import Opening
from kiosk_web.services.persons.standing import ShownStanding
from kiosk_web.services.visit.sessions import Snapshot
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.transitions.basic_four import is_offered_again
from kiosk_web.session.transitions.step import READER_CODES
from kiosk_web.web.view import BridgeCommand, StageView

_CARD_HINTS = {"unknown": "not_my_number_card", "mute": "card_mute"}


def build_outage_view(code: str) -> StageView:
    """The screen for a page that has no session, or none any more."""
    state = "superseded" if code == "superseded" else "out_of_service"
    return StageView(state, code, 0, None, "ja", "normal", (), {"help_called": False})


def build_connecting_view() -> StageView:
    """The first screen, before the page has talked to its bridge."""
    return StageView("connecting", "", 0, None, "ja", "normal", (), {"help_called": False})


def build_stage_view(
    snapshot: Snapshot,
    offer: Offer,
    in_use: Collection[str],
    outage: Opening | None = None,
    standing: ShownStanding | None = None,
) -> StageView:
    """What the page of this session shows. `in_use`: systems whose services are offered.

    `outage`: why the responder counts as out of service now, or None.
    `standing`: what the register says of the holder, for a result.
    """
    state = snapshot.state
    visit = s.derive_visit(state)
    return StageView(
        state=state.name,
        code=_derive_code(state),
        version=snapshot.version,
        deadline_at=state.deadline_at,
        language="ja" if visit is None else visit.language,
        text_size="normal" if visit is None else visit.text_size,
        commands=tuple(BridgeCommand(order.id, order.name, order.arguments) for order in s.derive_orders(state)),
        data={
            "help_called": visit is not None and visit.help_called,
            "attended": None if visit is None else _build_attended(snapshot),
            **_build_data(state, offer, in_use, outage, standing),
        },
    )


def _build_attended(snapshot: Snapshot) -> dict[str, object] | None:
    lease = snapshot.lease
    return None if lease is None else {"name": lease.staff_name, "until": lease.expires_at}


def _derive_code(state: s.State) -> str:
    if isinstance(state, s.Refused | s.OutOfService):
        return state.code
    return "superseded" if isinstance(state, s.Superseded) else ""


def _build_data(
    state: s.State, offer: Offer, in_use: Collection[str], outage: Opening | None, standing: ShownStanding | None
) -> Mapping[str, object]:
    match state:
        case s.ChoosingService(visit=visit):
            return {**_build_tiles(offer, in_use, outage), "card": visit.presence.card == "ours"}
        case s.AwaitingCard(visit=visit):
            return {**_service(visit, offer), "hint": _derive_hint(visit.presence)}
        case s.AwaitingPin() | s.ConfirmingLastPin():
            tries_left = state.evidence.tries_left
            by_pin = state.visit.by_pin
            return {
                **_service(state.visit, offer),
                "tries_left": tries_left,
                "refused": state.refused,
                "by_pin": by_pin,
            }
        case s.ReadingCard() | s.CheckingPin() | s.Checking() | s.AwaitingBirth() | s.CheckingCard() | s.CheckingText():
            return _service(state.visit, offer)
        case s.Agreeing(visit=visit):
            return {**_service(visit, offer), "changes": [asdict(change) for change in state.changes]}
        case s.Consenting(visit=visit):
            return {**_service(visit, offer), "subject": state.subject, "offered": offer.find(visit.service)}
        case s.AwaitingText():
            return {
                **_service(state.visit, offer),
                "way": state.way,
                "pin_tries": state.text.pin,
                "code_tries": state.text.code,
            }
        case s.BasicFourSent(visit=visit):
            return {
                **_service(visit, offer),
                "receiver": _describe_receiver(visit, offer),
                "kept_until": state.kept_until,
                "reference": visit.reference,
                "card": visit.presence.card != "none",
            }
        case s.KazashiSet(visit=visit):
            return {"on": state.on, "card": visit.presence.card != "none"}
        case s.EnteringNumber(visit=visit) | s.ConfirmingLink(visit=visit):
            return {**_service(visit, offer), "refused": state.refused}
        case s.StaffSigningIn():
            return {"refused": state.refused}
        case s.Result():
            return {**_service(state.visit, offer), **_build_result(state), "standing": _describe_standing(standing)}
        case s.Refused(visit=visit):
            return {
                **_service(visit, offer),
                "reference": visit.reference,
                "tries_left": state.tries_left,
                "card": visit.presence.card != "none",
                "stopped_in": state.stopped_in,
                "back_at": _derive_return(state, outage),
            }
        case _:
            return {}


def _build_tiles(offer: Offer, in_use: Collection[str], outage: Opening | None) -> dict[str, object]:
    offered = offer.list_tiles(in_use)
    services = [
        {**_describe(service), "uncertain": outage is not None and service.status_policy == "ocsp"}
        for service in offered
    ]
    return {"services": services, "kazashi": any(service.terms.kazashi for service in offered)}


def _build_result(state: s.Result) -> dict[str, object]:
    checked_at: datetime = state.checked_at
    return {
        "profile": state.profile,
        "identifier_kind": state.identifier_kind,
        "identifier": state.identifier,
        "expires_soon": state.expires_soon,
        "checked_at": checked_at,
        "method": state.method,
        "fallback": state.fallback,
        "status_as_of": state.status_as_of,
        "reference": state.visit.reference,
        "card": state.visit.presence.card != "none",
        "kazashi": state.kazashi if state.kazashi == "on" or state.same_card else "",
        "link": state.link,
        "records": state.visit.method == "pin" and state.same_card,
        "basic_four": {
            "end": state.basic_four,
            "code": state.basic_four_code,
            "tries_left": state.tries_left,
            "again": is_offered_again(state),
        },
    }


def _describe_standing(standing: ShownStanding | None) -> dict[str, object] | None:
    if standing is None:
        return None
    answer = standing.answer
    if answer is None:
        return {"asking": True}
    first = answer.since is None and answer.as_of is not None
    return {
        "asking": False,
        "signature": answer.signature,
        "items": "first" if first else answer.items,
        "since": answer.since,
        "as_of": answer.as_of,
    }


def _derive_return(state: s.Refused, outage: Opening | None) -> datetime | None:
    """When the responder is expected back, for somebody whose certificate could not be confirmed without it."""
    if state.code != "status_unavailable" or outage is None or outage.cause != "window":
        return None
    return outage.until


def _derive_hint(presence: facts.Presence) -> str:
    return READER_CODES.get(presence.reader) or _CARD_HINTS.get(presence.card, "")


def _service(visit: s.Visit, offer: Offer) -> dict[str, object]:
    service = offer.find(visit.service)
    return {
        "service": None if service is None else _describe(service),
        "tap": visit.method == "kazashi" and visit.purpose == "identify",
        "enrolling": visit.purpose == "enrol",
        "sending": visit.purpose == "basic_four",
        "reading": _describe_reading(visit, service, offer),
    }


def _describe_receiver(visit: s.Visit, offer: Offer) -> dict[str, str]:
    """Who received the basic 4 information, by its full name."""
    service = offer.find(visit.service)
    terms = None if service is None else service.basic_four
    return {"ja": "", "en": ""} if terms is None else {"ja": terms.receiver.ja, "en": terms.receiver.en}


def _describe_reading(visit: s.Visit, service: Service | None, offer: Offer) -> dict[str, object] | None:
    """Who asks for this visit, and for what; None where nobody but the resident does."""
    system = None if service is None else offer.find_system(service.system)
    if visit.reading is None or system is None:
        return None
    return {
        "system": {"ja": system.name.ja, "en": system.name.en},
        "title": {"ja": visit.reading.title_ja, "en": visit.reading.title_en},
        "returns": visit.reading.returns,
        "basic_four": visit.reading.basic_four,
    }


def _describe(service: Service) -> dict[str, object]:
    return {
        "id": service.id,
        "profile": service.profile,
        "name": {"ja": service.name.ja, "en": service.name.en},
        "description": {"ja": service.description.ja, "en": service.description.en},
        "icon": service.icon,
    }
