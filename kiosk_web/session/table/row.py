"""What a row of the table says. PURE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kiosk_web.session.transitions.step import Step

Handler = Callable[[Any, Any, datetime], Step]


@dataclass(frozen=True)
class Row:
    """`kept`: expected late or doubled, without meaning here. `illegal`: answered 409, nothing changes."""

    legal: Mapping[type, Handler]
    kept: frozenset[type]
    illegal: frozenset[type]
