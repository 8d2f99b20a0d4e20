"""The settings of services (`[[services]]`) and of the cooperating systems that own them (`[[systems]]`)."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from kiosk_web.identity.basic_four import BasicFourTerms
from kiosk_web.identity.offer import Service, StatusPolicyName, Words
from kiosk_web.identity.profiles import PROFILES, ProfileName
from kiosk_web.identity.receivers import judge_receiver_host
from kiosk_web.identity.systems import CooperatingSystem, LinkConfirmation, LinkHolder
from kiosk_web.identity.user_numbers import ANY_NUMBER, CheckDigit, NumberFormat
from kiosk_web.pki.receiver_key import read_receiver_key

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
Text = Annotated[str, Field(min_length=1, max_length=200)]

DEFAULT_POLICIES: dict[ProfileName, StatusPolicyName] = {
    "library": "ocsp-then-crl",
    "type1": "ocsp-then-crl",
    "type2": "ocsp",
}


class WordsSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    ja: Text
    en: Text

    def build_words(self) -> Words:
        return Words(self.ja, self.en)


class NumberSettings(BaseModel):
    """The form of a system's user numbers (`docs/linking.md`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    pattern: Annotated[str, Field(min_length=1, max_length=200)] = ANY_NUMBER.pattern
    check_digit: CheckDigit = "none"

    @field_validator("pattern")
    @classmethod
    def _judge_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        return value


class SystemSettings(BaseModel):
    """One cooperating system. `link_holder`: who keeps identifier ↔ user number; a library's links are the platform's.

    `link_confirmation`: who confirms a number that a resident links at a terminal.
    `municipal_library`: it is the system of a municipal library, and its services are of the library profile.
    `receiver_key`: a public key, PEM or JWK, to which the basic 4 information is sealed (`docs/basic-four.md`).
    `webhook_url`: where it is sent; without it the system picks it up by the API.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: Identifier
    name: WordsSettings
    link_holder: LinkHolder | None = None
    municipal_library: bool = False
    user_number: NumberSettings = NumberSettings()
    link_confirmation: LinkConfirmation = "staff"
    receiver_key: Annotated[str, Field(min_length=1, max_length=16_384)] | None = None

    webhook_url: Annotated[str, Field(max_length=500)] | None = None

    @model_validator(mode="after")
    def _judge_webhook(self) -> SystemSettings:
        if self.webhook_url is None:
            return self
        parts = urlsplit(self.webhook_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.fragment:
            raise ValueError(f"{self.id}: webhook_url is an address such as https://booking.example.lg.jp/readings")
        if not judge_receiver_host(parts.hostname):
            raise ValueError(f"{self.id}: webhook_url leads to no receiver, but to this link or to everybody on it")
        if self.receiver_key is None:
            raise ValueError(f"{self.id}: webhook_url needs a receiver_key: nothing is sent that is not sealed")
        return self

    @field_validator("receiver_key")
    @classmethod
    def _judge_receiver_key(cls, value: str | None) -> str | None:
        if value is not None:
            read_receiver_key(value)  # raises `ReceiverKeyRefused`, a ValueError
        return value

    def build_system(self) -> CooperatingSystem:
        return CooperatingSystem(
            id=self.id,
            name=self.name.build_words(),
            link_holder=self.link_holder or ("platform" if self.municipal_library else "municipality"),
            municipal_library=self.municipal_library,
            user_number=NumberFormat(self.user_number.pattern, self.user_number.check_digit),
            receives_basic_four=self.receiver_key is not None,
            link_confirmation=self.link_confirmation,
        )


class BasicFourAsked(BaseModel):
    """A service asks for the basic 4 information (`docs/basic-four.md`): what for, and how long the receiver keeps it.

    `on_request_only`: only where its system asks for a reading with these items.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    purpose: WordsSettings
    kept: WordsSettings
    on_request_only: bool = False


class ServiceSettings(BaseModel):
    """One service (`[[services]]`): a tile, or of Type 2 and for the API alone.

    Without a `status_policy` it has the one of its profile.

    `kazashi_in_window`: kazashi goes on by list while a configured window of `[fallback]` holds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: Identifier
    system: Identifier
    profile: ProfileName
    name: WordsSettings
    description: WordsSettings
    icon: Identifier = "service"
    status_policy: StatusPolicyName | None = None
    kazashi_in_window: bool = False
    basic_four: BasicFourAsked | None = None

    @model_validator(mode="after")
    def _judge_methods(self) -> ServiceSettings:
        if self.status_policy == "crl" and PROFILES[self.profile].crl != "yes":
            raise ValueError(f"{self.id}: lists alone may confirm for type2 only; write ocsp-then-crl")
        if self.kazashi_in_window and not PROFILES[self.profile].kazashi:
            raise ValueError(f"{self.id}: there is no kazashi in {self.profile}")
        return self

    @property
    def policy(self) -> StatusPolicyName:
        """How certificates are confirmed at this service."""
        return self.status_policy or DEFAULT_POLICIES[self.profile]

    def build_service(self, receiver: Words, minutes: int) -> Service:
        """`receiver` is the name of its system; `minutes`: how long what is sealed waits here."""
        asked = self.basic_four
        terms = None
        if asked is not None:
            purpose, kept = asked.purpose.build_words(), asked.kept.build_words()
            terms = BasicFourTerms(receiver, purpose, kept, minutes, asked.on_request_only)
        return Service(
            id=self.id,
            system=self.system,
            profile=self.profile,
            name=self.name.build_words(),
            description=self.description.build_words(),
            icon=self.icon,
            status_policy=self.policy,
            kazashi_in_window=self.kazashi_in_window,
            basic_four=terms,
        )


DEMO_SYSTEMS: tuple[SystemSettings, ...] = (
    SystemSettings(
        id="facility-booking",
        name=WordsSettings(ja="みほん市 施設予約システム", en="Mihon City facility booking"),
        link_holder="municipality",
        user_number=NumberSettings(pattern=r"[0-9]{8}"),
    ),
    SystemSettings(
        id="city-library",
        name=WordsSettings(ja="みほん市立図書館 図書館システム", en="Mihon City Library"),
        municipal_library=True,
        user_number=NumberSettings(pattern=r"[0-9]{10}", check_digit="luhn"),
    ),
)
DEMO_SERVICES: tuple[ServiceSettings, ...] = (
    ServiceSettings(
        id="facility",
        system="facility-booking",
        profile="type1",
        name=WordsSettings(ja="施設予約の利用者確認", en="Facility booking"),
        description=WordsSettings(
            ja="公民館・体育館の予約システムに、本人であることを伝えます。",
            en="Confirms to the booking system of halls and gyms that it is you.",
        ),
        icon="booking",
    ),
    ServiceSettings(
        id="library",
        system="city-library",
        profile="library",
        name=WordsSettings(ja="図書館の利用", en="Library"),
        description=WordsSettings(
            ja="図書館の利用に使うマイキーIDを表示します。",
            en="Shows your MyKey ID for the library.",
        ),
        icon="library",
    ),
    ServiceSettings(
        id="online",
        system="facility-booking",
        profile="type2",
        name=WordsSettings(ja="施設予約のオンライン利用登録", en="Facility booking online"),
        description=WordsSettings(
            ja="自宅からの施設予約に使う登録をします。窓口と同じ利用者になります。",
            en="Registers you for booking from home, as the same user as at the counter.",
        ),
        icon="document",
    ),
)
