"""The server's settings:

command line over environment (`KIOSK_…`) over one TOML file over defaults. An unknown key is an error.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from kiosk_web.crl_settings import CrlSettings
from kiosk_web.errors import SettingsError
from kiosk_web.fallback_settings import FallbackSettings
from kiosk_web.identity.offer import Offer, Service, StatusPolicyName, Words
from kiosk_web.identity.profiles import PROFILES, ProfileName
from kiosk_web.ocsp_settings import PinSettings

PREFIX = "KIOSK_"
CONFIG_VARIABLE = "KIOSK_CONFIG"
LOOPBACK = "127.0.0.1"
Port = Annotated[int, Field(ge=0, le=65535)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class WordsSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    ja: Text
    en: Text


DEFAULT_POLICIES: dict[ProfileName, StatusPolicyName] = {
    "library": "ocsp-then-crl",
    "type1": "ocsp-then-crl",
    "type2": "ocsp",
}


class ServiceSettings(BaseModel):
    """One tile (`[[services]]`). Without a `status_policy` it has the one of its profile.

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


def _demo_services() -> tuple[ServiceSettings, ...]:
    return (
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
            system="online-applications",
            profile="type2",
            name=WordsSettings(ja="オンライン申請の利用者登録", en="Online applications"),
            description=WordsSettings(
                ja="オンライン申請システムに、本人であることを伝えます。",
                en="Confirms to the online application system that it is you.",
            ),
            icon="document",
        ),
    )


class Settings(BaseSettings):
    """Ports may be 0 (a free one).

    `anchors` is a folder of root certificates; without it the published JPKI roots are used.

    `ocsp_url` is the responder; without it the address in a trusted certificate, if its host is JPKI's.
    `ocsp_circuit_failures` in a row, and it is not asked for `ocsp_circuit_seconds`; a good answer is used again for
    `ocsp_cache_seconds` (0: never). `ocsp_pins` are responders believed against the rules (`ocsp_settings.py`).
    `require_synchronised_clock`: nobody is confirmed while the system says that nothing keeps its clock right; without
    it, production requires that and a demo does not.
    `confirmed_fingerprints`: SHA-256 of roots that the operator checked against the official sheet
    (`docs/validation.md`).
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_nested_delimiter="__")

    deployment: Literal["demo", "production"] = "demo"
    data: Path = Path("var/kiosk")
    host: str = LOOPBACK
    port: Port = 8480
    staff_host: str = LOOPBACK
    staff_port: Port = 8482
    bridge_port: Annotated[int, Field(ge=1, le=65535)] = 8481
    anchors: Path | None = None
    confirmed_fingerprints: tuple[str, ...] = ()
    ocsp_url: str | None = None
    ocsp_nonce: Literal["required", "none"] = "required"  # whether the real responder echoes one is not public
    ocsp_max_age_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = 20  # the data are refreshed every 15
    ocsp_hash: Literal["sha1", "sha256"] = "sha1"
    ocsp_pins: tuple[PinSettings, ...] = ()
    ocsp_circuit_failures: Annotated[int, Field(ge=1, le=1000)] = 5
    ocsp_circuit_seconds: Annotated[float, Field(gt=0, le=600)] = 15
    ocsp_cache_seconds: Annotated[float, Field(ge=0, le=60)] = 0
    fallback: FallbackSettings = FallbackSettings()
    require_synchronised_clock: bool | None = None
    allow_test_arc: bool = False
    early_check: bool = True
    crl: CrlSettings = CrlSettings()
    static: Path = Path(__file__).resolve().parent.parent / "static"
    services: Annotated[tuple[ServiceSettings, ...], Field(min_length=1, max_length=6)] = Field(
        default_factory=_demo_services
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # `load_settings` merges all sources itself, so that each mistake can be named with its place.
        return (init_settings,)

    @field_validator("ocsp_url")
    @classmethod
    def _judge_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    @model_validator(mode="after")
    def _judge_deployment(self) -> Settings:
        if self.host != LOOPBACK:
            raise ValueError(f"host: the page of the terminal is served on {LOOPBACK} only")
        if self.deployment == "production" and self.staff_host != LOOPBACK:
            raise ValueError(f"staff_host: without a sign-in, production serves the staff page on {LOOPBACK} only")
        if self.deployment == "production" and self.allow_test_arc:
            raise ValueError("allow_test_arc: production refuses certificates of the test arc")
        if len({service.id for service in self.services}) != len(self.services):
            raise ValueError("services: two have the same id")
        return self

    @property
    def demo(self) -> bool:
        return self.deployment == "demo"

    @property
    def needs_synchronised_clock(self) -> bool:
        if self.require_synchronised_clock is not None:
            return self.require_synchronised_clock
        return not self.demo

    @property
    def bridge_address(self) -> str:
        """The address the page dials; the literal one, since another program may hold `[::1]`."""
        return f"ws://{LOOPBACK}:{self.bridge_port}/card"

    @property
    def origin(self) -> str:
        """The origin of the resident page. Meaningful once `port` is the real one."""
        return f"http://{LOOPBACK}:{self.port}"

    def build_offer(self) -> Offer:
        return Offer(
            tuple(
                Service(
                    id=service.id,
                    system=service.system,
                    profile=service.profile,
                    name=Words(service.name.ja, service.name.en),
                    description=Words(service.description.ja, service.description.en),
                    icon=service.icon,
                    status_policy=service.policy,
                    kazashi_in_window=service.kazashi_in_window,
                )
                for service in self.services
            )
        )


def load_settings(given: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """`given` comes from the command line (None:

    not given). Raises `SettingsError` naming the key and where it stands.
    """
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    path = environment.get(CONFIG_VARIABLE)
    if path is not None:
        for key, value in _load_toml(Path(path)).items():
            values[key], origin[key] = value, f"{path}: {key}"
    for name, text in environment.items():
        if name.upper().startswith(PREFIX) and name.upper() != CONFIG_VARIABLE:
            key = name[len(PREFIX) :].lower()
            values[key], origin[key] = _read_variable(key, text), name
    for key, value in given.items():
        if value is not None:
            values[key], origin[key] = value, f"--{key.replace('_', '-')}"
    unknown = [place for key, place in origin.items() if key not in Settings.model_fields]
    if unknown:
        raise SettingsError(f"{unknown[0]}: there is no such setting")
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        top = str(first["loc"][0]) if first["loc"] else ""
        where = origin.get(top, place)
        inner = place[len(top) :]
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{where}{inner}: {reason}" if where else reason) from None


def _load_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None


def _read_variable(key: str, text: str) -> object:
    """Lists are written with commas; everything else is read by its type. Services need the file."""
    if key == "confirmed_fingerprints":
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text
