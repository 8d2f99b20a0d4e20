"""The parts of hand-over put together from the settings (`docs/handover.md`)."""

from __future__ import annotations

from kiosk_web.adapters.sip2 import Sip2Client, Sip2Settings
from kiosk_web.services.links.handover import HandoverRules, HandoverService, SystemRules
from kiosk_web.services.links.invitations import LinkInvitations
from kiosk_web.services.ports import Clock
from kiosk_web.settings.handover import HandoverSettings
from kiosk_web.web.handover import HandoverRenderer, HandoverRoutes
from kiosk_web.wiring.services import Services
from kiosk_web.wiring.world import World


def build_handover_routes(world: World, services: Services, renderer: HandoverRenderer) -> HandoverRoutes:
    """The routes of the linked number on a result, and of linking one."""
    handover = HandoverService(
        store=world.store,
        sessions=services.sessions,
        keys=world.keys,
        rules=build_handover_rules(world.settings.handover, world.clock),
        offer=world.offer,
        clock=world.clock,
        entropy=world.entropy,
    )
    invitations = LinkInvitations(
        store=world.store,
        sessions=services.sessions,
        linking=services.terminal_linking,
        offer=world.offer,
        clock=world.clock,
    )
    return HandoverRoutes(handover, invitations, services.terminals, renderer)


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
