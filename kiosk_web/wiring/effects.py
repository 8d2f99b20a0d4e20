"""What carries out the commands of the session machine, from the settings."""

from __future__ import annotations

from kiosk_web.identity.offer import Offer
from kiosk_web.pki.status_policy import StatusPolicy
from kiosk_web.services.kazashi.taps import KazashiService
from kiosk_web.services.keys import KeyRing
from kiosk_web.services.links.at_terminal import TerminalLinking
from kiosk_web.services.persons.issuance import IssuanceService
from kiosk_web.services.ports import Entropy, Validation
from kiosk_web.services.readings.basic_four import BasicFourService
from kiosk_web.services.readings.basic_four_visit import BasicFourVisitService
from kiosk_web.services.staff.leases import LeaseService
from kiosk_web.services.status.fallback import FallbackService
from kiosk_web.services.visit.challenges import ChallengeService, ConsentHash
from kiosk_web.services.visit.conclusions import ConclusionService
from kiosk_web.services.visit.effects import EffectService
from kiosk_web.services.visit.proofs import ProofService
from kiosk_web.settings.server import Settings
from kiosk_web.wiring.kazashi import load_kazashi_rules


def build_effects(
    settings: Settings,
    *,
    offer: Offer,
    validation: Validation,
    issuance: IssuanceService,
    keys: KeyRing,
    entropy: Entropy,
    fallback: FallbackService,
    leases: LeaseService,
    basic_four: BasicFourService,
    linking: TerminalLinking,
    consent_hash: ConsentHash,
    limits: StatusPolicy,
) -> EffectService:
    """A service for each subject. Raises `SettingsError` for a key of a card issuer that may not be believed here."""
    kazashi = KazashiService(load_kazashi_rules(settings), leases)
    proofs = ProofService(validation=validation, kazashi=kazashi, early_check=settings.early_check)
    return EffectService(
        challenges=ChallengeService(
            offer=offer, keys=keys, entropy=entropy, kazashi=kazashi, consent_hash=consent_hash
        ),
        proofs=proofs,
        conclusions=ConclusionService(
            offer=offer,
            proofs=proofs,
            issuance=issuance,
            fallback=fallback,
            kazashi=kazashi,
            basic_four=basic_four,
            limits=limits,
        ),
        basic_four=BasicFourVisitService(offer=offer, proofs=proofs, basic_four=basic_four),
        kazashi=kazashi,
        leases=leases,
        linking=linking,
    )
