"""Read the basic 4 information (基本4情報) once the card has signed, in the same connection and transaction. On the
worker's thread.

Four digits are the text application's PIN, fourteen are verification code B; which of them, the holder decides. A
secret with fewer than two tries left is not compared, and a refused one ends the reading. With a keypad on the reader
the PIN is typed there; the code, which is written on the card, is not. EF 0002 is read and nothing
else of that application.
"""

from __future__ import annotations

from bridge.card.keypad import KEYPAD_RULE, NOT_TYPED
from bridge.card.mynumber import MyNumberCard
from bridge.card.pin import CODE_B, FOUR_DIGITS, OnKeypad, PinRule, Secret
from bridge.card.text import BasicFour, TextApplet
from bridge.errors import PinLocked, PinRefused, TextSecretGuarded, TextSecretWrong
from bridge.evidence import build_fields
from bridge.procedure import Hands
from bridge.ticket import ChallengeTicket
from bridge.visit import BasicFourRead, PinAccepted, TextReady

FEWEST_TRIES = 2


def read_basic_four(challenge: ChallengeTicket, card: MyNumberCard, certificate: bytes, hands: Hands) -> None:
    """Both counters, one secret, one file."""
    text = card.open_text()
    tries = {FOUR_DIGITS: text.read_pin_tries_left(), CODE_B: text.read_code_b_tries_left()}
    if max(tries.values()) < FEWEST_TRIES:
        raise TextSecretGuarded
    hands.check()
    hands.report(TextReady(challenge.jti, tries[FOUR_DIGITS], tries[CODE_B], keypad=hands.keypad is not None))
    secret = hands.await_secret()
    try:
        rule = _judge_kind(secret)
        if tries[rule] < FEWEST_TRIES:
            raise TextSecretGuarded
        hands.check_present()
        hands.check()
        hands.count_try()
        _verify(text, rule, secret, hands)
    finally:
        secret.wipe()
    hands.report(PinAccepted(challenge.jti))
    items = build_items(text.read_basic_four())
    hands.check()
    hands.report(BasicFourRead(challenge.jti, certificate, items, hands.take_counter()))


def build_items(four: BasicFour) -> bytes:
    """The four texts as the card has them, each with its length (`docs/wire.md` 7)."""
    return build_fields(four.name, four.address, four.birth, four.sex)


def _judge_kind(secret: Secret) -> PinRule:
    """Which of the two it is. Raises `PinMalformed`."""
    if isinstance(secret, OnKeypad):
        return KEYPAD_RULE
    rule = CODE_B if len(secret.reveal()) == CODE_B.minimum else FOUR_DIGITS
    rule.require(secret)
    return rule


def _verify(text: TextApplet, rule: PinRule, secret: Secret, hands: Hands) -> None:
    try:
        if isinstance(secret, OnKeypad):
            _verify_at_keypad(text, hands)
        elif rule is CODE_B:
            text.verify_code_b(secret)
        else:
            text.verify_pin(secret)
    except PinRefused as refusal:
        raise TextSecretWrong(tries_left=refusal.tries_left) from None
    except PinLocked:
        raise TextSecretWrong(tries_left=0) from None


def _verify_at_keypad(text: TextApplet, hands: Hands) -> None:
    assert hands.keypad is not None
    before = text.read_pin_tries_left()
    hands.check()  # nothing but the reader ends what begins now
    try:
        text.verify_pin_at_keypad(hands.keypad)
    except NOT_TYPED:
        if text.read_pin_tries_left() == before:  # the card, too, says that nothing was compared
            hands.give_try_back()
        raise
