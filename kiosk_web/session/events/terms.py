"""What can happen to terms that this person has yet to accept. PURE."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk_web.session.terms_change import TermsChange


@dataclass(frozen=True)
class TermsAgreed:
    """The resident agrees to the terms on the screen."""


@dataclass(frozen=True)
class TermsOutdated:
    """Answer to `Conclude`: the verdict accepts, and the person has yet to agree to the terms as they are now."""

    challenge: str
    changes: tuple[TermsChange, ...]
