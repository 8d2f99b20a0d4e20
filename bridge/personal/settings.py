"""What personal mode is told at its start, checked before anything runs. Every trouble is a `SettingsError`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bridge.errors import SettingsError
from bridge.personal.origins import is_loopback_origin, is_secure_origin
from bridge.personal.words import Language
from bridge.settings import BAD_PORTS, Deployment

PERSONAL_PORT = 8489
"""Where a page looks for it."""


@dataclass(frozen=True, slots=True)
class PersonalSettings:
    """`virtual` is the folder of a virtual reader, `virtual_reader` its file there; without, the readers are those of
    PC/SC. `origins`: the only pages that may ask, or none for every `https` page. `stand_in_port`: where a demo without
    a desktop shows what stands for the window; `stand_in_frame`: the one page that may frame that.
    """

    port: int = PERSONAL_PORT
    ready_file: Path | None = None
    virtual: Path | None = None
    virtual_reader: str = "reader.json"
    deployment: Deployment = "production"
    origins: tuple[str, ...] = ()
    development: bool = False
    language: Language = "ja"
    stand_in_port: int | None = None
    stand_in_frame: str = ""
    stand_in_fonts: Path | None = None

    def __post_init__(self) -> None:
        self._judge_ports()
        self._judge_deployment()
        self._judge_stand_in()
        self._judge_origins()

    def _judge_ports(self) -> None:
        for port in (self.port, self.stand_in_port or 0):
            if not 0 <= port <= 65535 or port in BAD_PORTS or 0 < port < 1024:
                raise SettingsError(f"browsers or the system keep port {port} closed; choose another with --port")

    def _judge_deployment(self) -> None:
        if self.virtual is not None and self.deployment != "demo":
            raise SettingsError("a virtual reader has no place in production; use --pcsc, or --deployment demo")
        if self.virtual is not None and not self.virtual.is_dir():
            raise SettingsError(f"there is no folder {str(self.virtual)!a} for the virtual reader")
        if Path(self.virtual_reader).name != self.virtual_reader:
            raise SettingsError("--virtual-reader is the name of a file in the folder of the virtual reader")
        if self.development and self.deployment != "demo":
            raise SettingsError("--development admits pages without TLS and needs --deployment demo")

    def _judge_stand_in(self) -> None:
        if self.stand_in_port is not None and self.virtual is None:
            raise SettingsError("only a demo on a virtual reader may do without the bridge's own window")
        if self.stand_in_frame and (self.stand_in_port is None or not is_loopback_origin(self.stand_in_frame)):
            raise SettingsError("--demo-frame is the loopback origin of a demo desk, beside --demo-window-port")

    def _judge_origins(self) -> None:
        for origin in self.origins:
            if not is_secure_origin(origin) and not (self.development and is_loopback_origin(origin)):
                raise SettingsError(
                    f"--origin {origin!a} is not the origin of an https page, such as https://www.example.lg.jp"
                )
