"""The server's settings:

command line over environment (`KIOSK_…`) over one TOML file over defaults. An unknown key is an error.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from kiosk_web.errors import SettingsError
from kiosk_web.identity.offer import Offer, Words
from kiosk_web.settings.api import ApiSettings
from kiosk_web.settings.basic_four import BasicFourSettings
from kiosk_web.settings.crl import CrlSettings
from kiosk_web.settings.fallback import FallbackSettings
from kiosk_web.settings.handover import HandoverSettings
from kiosk_web.settings.introduction import IntroductionSettings
from kiosk_web.settings.kazashi import KazashiSettings
from kiosk_web.settings.ocsp import PinSettings
from kiosk_web.settings.register import RegisterSettings, VerifierSettings
from kiosk_web.settings.services import DEMO_SERVICES, DEMO_SYSTEMS, ServiceSettings, SystemSettings

PREFIX = "KIOSK_"
CONFIG_VARIABLE = "KIOSK_CONFIG"
LOOPBACK = "127.0.0.1"
Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """Ports may be 0 (a free one).

    `anchors` is a folder of root certificates; without it the published JPKI roots are used.

    `ocsp_url` is the responder; without it the address in a trusted certificate, if its host is JPKI's.
    `ocsp_circuit_failures` in a row, and it is not asked for `ocsp_circuit_seconds`; a good answer is used again for
    `ocsp_cache_seconds` (0: never). `ocsp_pins` are responders believed against the rules (`settings/ocsp.py`).
    `require_synchronised_clock`: nobody is confirmed while the system says that nothing keeps its clock right; without
    it, production requires that and a demo does not.
    `desk_origin` is the page that may show ours in a frame, and watch the terminals: the demo desk, on this computer.
    `confirmed_fingerprints`: SHA-256 of roots that the operator checked against the official sheet
    (`docs/validation.md`).

    `terms`: the folder of terms of use and privacy policy (`docs/privacy.md`); without it those of the demo.
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
    kazashi: KazashiSettings = KazashiSettings()
    api: ApiSettings = ApiSettings()
    basic_four: BasicFourSettings = BasicFourSettings()
    handover: HandoverSettings = HandoverSettings()
    terms: Path | None = None
    introduction: IntroductionSettings = IntroductionSettings()
    desk_origin: str | None = None
    static: Path = Path(__file__).resolve().parents[2] / "static"
    verifier: VerifierSettings = VerifierSettings()
    register_service: RegisterSettings = RegisterSettings()
    services: Annotated[tuple[ServiceSettings, ...], Field(min_length=1, max_length=6)] = DEMO_SERVICES
    systems: tuple[SystemSettings, ...] = Field(  # those of the demo belong to its services
        default_factory=lambda given: DEMO_SYSTEMS if given.get("services") == DEMO_SERVICES else ()
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

    @field_validator("desk_origin")
    @classmethod
    def _judge_desk(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"http://127\.0\.0\.1:[1-9][0-9]{0,4}", value):
            raise ValueError(f"must be http://{LOOPBACK}: and a port")
        return value

    @model_validator(mode="after")
    def _judge_deployment(self) -> Settings:
        if self.host != LOOPBACK:
            raise ValueError(f"host: the page of the terminal is served on {LOOPBACK} only")
        if self.deployment == "production":
            self._judge_production()
        if len({service.id for service in self.services}) != len(self.services):
            raise ValueError("services: two have the same id")
        if self.register_service.url is not None and not self.verifier.has_both_roles:
            raise ValueError("register_service: verifier must name both roles, user_authentication and signature")
        self.build_offer().require_handover(self.handover.systems)  # raises `SystemRefused`, a ValueError
        return self

    def _judge_production(self) -> None:
        if self.staff_host != LOOPBACK:
            raise ValueError(f"staff_host: without a sign-in, production serves the staff page on {LOOPBACK} only")
        if self.desk_origin is not None:
            raise ValueError("desk_origin: production lets nobody show its pages in a frame")
        if self.allow_test_arc:
            raise ValueError("allow_test_arc: production refuses certificates of the test arc")
        if self.api.url is not None and not self.api.url.startswith("https://"):
            raise ValueError("api: production serves the API under https:// only")
        if self.register_service.url is not None and not self.register_service.url.startswith("https://"):
            raise ValueError("register_service: its answers are not signed, so production asks it over https:// only")
        for system in self.systems:
            if system.webhook_url is not None and not system.webhook_url.startswith("https://"):
                raise ValueError(f"systems: {system.id}: production sends to https:// only")

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

    def require_verifier(self) -> None:
        """Nobody may ask JPKI who is not registered. Raises `SettingsError` in production without the roles needed."""
        if not self.demo:
            self.judge_verifier()

    def judge_verifier(self) -> None:
        """Raises `SettingsError` where a role that the services need has no name, in a demo too."""
        if not self.verifier.user_authentication.strip():
            raise SettingsError("verifier.user_authentication: production needs the registered verifier's name")
        linked = [service.id for service in self.build_offer().services if service.terms.linked_signature_state]
        if linked and not self.verifier.has_both_roles:
            raise SettingsError(
                f"verifier.signature: {linked[0]} is of Type 1 or 2, for which production needs both roles"
            )

    @property
    def api_url(self) -> str | None:
        """Where clients find the API; None where it is not served. Meaningful once `staff_port` is the real one."""
        if self.api.url is None and self.demo:
            return f"http://localhost:{self.staff_port}"
        return self.api.url

    def build_offer(self) -> Offer:
        """The services and their systems. Raises `SystemRefused`, but not for settings that were accepted."""
        systems = {system.id: system.build_system() for system in self.systems}
        minutes = self.basic_four.lifetime_minutes

        def name(system: str) -> Words:
            return systems[system].name if system in systems else Words(system, system)

        services = tuple(service.build_service(name(service.system), minutes) for service in self.services)
        return Offer(services, [system.build_system() for system in self.systems])


def load_settings(given: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """`given` comes from the command line (None: not given) and goes before `environment`, that before the file.

    Raises `SettingsError` naming the key and where it stands.
    """
    values, origin = _gather(given, environment)
    unknown = [place for key, place in origin.items() if key not in Settings.model_fields]
    if unknown:
        raise SettingsError(f"{unknown[0]}: there is no such setting")
    try:
        return Settings(**values)
    except ValidationError as error:
        raise _name_mistake(error, origin) from None


def _gather(given: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Each key's value, and the place where it stands."""
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
    return values, origin


def _name_mistake(error: ValidationError, origin: Mapping[str, str]) -> SettingsError:
    """The first mistake, by its place and without the value: it may be a secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    top = str(first["loc"][0]) if first["loc"] else ""
    where = origin.get(top, place)
    inner = place[len(top) :]
    reason = first["msg"].removeprefix("Value error, ")
    return SettingsError(f"{where}{inner}: {reason}" if where else reason)


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
