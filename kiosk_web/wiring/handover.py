"""The parts of hand-over put together from the settings (`docs/handover.md`)."""

from __future__ import annotations

from kiosk_web.adapters.sip2 import Sip2Client, Sip2Settings
from kiosk_web.services.handover import HandoverRules, HandoverService, SystemRules
from kiosk_web.services.keys import KeyRing
from kiosk_web.services.link_invitations import LinkInvitations
from kiosk_web.services.ports import Clock, Entropy, Store
from kiosk_web.services.sessions import SessionService
from kiosk_web.services.terminal_linking import TerminalLinking
from kiosk_web.services.terminals import TerminalService
from kiosk_web.settings.handover import HandoverSettings
from kiosk_web.settings.server import Settings
from kiosk_web.web.handover import HandoverRenderer, HandoverRoutes


def build_handover_routes(
    settings: Settings,
    store: Store,
    sessions: SessionService,
    keys: KeyRing,
    terminals: TerminalService,
    renderer: HandoverRenderer,
    clock: Clock,
    entropy: Entropy,
    linking: TerminalLinking,
) -> HandoverRoutes:
    """The routes of the linked number on a result, and of linking one."""
    rules = build_handover_rules(settings.handover, clock)
    offer = settings.build_offer()
    handover = HandoverService(
        store=store, sessions=sessions, keys=keys, rules=rules, offer=offer, clock=clock, entropy=entropy
    )
    invitations = LinkInvitations(store=store, sessions=sessions, linking=linking, offer=offer, clock=clock)
    return HandoverRoutes(handover, invitations, terminals, renderer)


def build_handover_rules(settings: HandoverSettings, clock: Clock) -> HandoverRules:
    """How numbers may be handed over here."""
    return HandoverRules(
        systems={
            name: SystemRules(
                barcode=None if system.barcode == "none" else system.barcode,
                start=system.nw7_start,
                stop=system.nw7_stop,
                library=None if system.sip2 is None else Sip2Client(Sip2Settings(**system.sip2.model_dump()), clock),
            )
            for name, system in settings.systems.items()
        },
        outputs={name: None if own.output == "none" else own.output for name, own in settings.terminals.items()},
    )
