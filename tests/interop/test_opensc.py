"""OpenSC as an independent judge of the virtual card: its tools find the card, read it and sign with it, and `openssl`
accepts the signature. The tools speak to the card through a real pcscd.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.pcscd import Pcscd, virtual_card
from tests.support.profiles import OPENSC_ATR, PIN, make_certificate, make_key, write_profile

pytestmark = pytest.mark.pcsc

MESSAGE = b"a message that only this card signs"


class OpenSc:
    """The tools of OpenSC on one card."""

    def __init__(self, pcscd: Pcscd, profile: Path, folder: Path) -> None:
        self.profile = profile
        self.folder = folder
        self._environment = pcscd.environment | {"OPENSC_CONF": str(folder / "opensc.conf"), "HOME": str(folder)}
        # No cache: each run must ask the card.
        (folder / "opensc.conf").write_text("app default { framework pkcs15 { use_file_caching = no; } }\n")

    def run(self, tool: str, *arguments: str) -> str:
        answer = subprocess.run(
            [tool, *arguments],
            env=self._environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout


@pytest.fixture(scope="module")
def opensc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSc]:
    folder = tmp_path_factory.mktemp("opensc")
    profile = write_profile(folder, atr=OPENSC_ATR)
    with Pcscd() as pcscd, virtual_card(profile, pcscd.vpcd):
        tools = OpenSc(pcscd, profile, folder)
        tools.run("opensc-tool", "--wait", "--atr")
        yield tools


def find_module() -> str:
    """The PKCS #11 module, wherever this architecture keeps it."""
    places = sorted(Path("/usr").glob("lib*/**/opensc-pkcs11.so"))
    assert places, "these tests need the package opensc-pkcs11 (./run test installs it)"
    return str(places[0])


def require_signature(tools: OpenSc, signature: Path) -> None:
    """Checked by `openssl`, with the public key of the profile."""
    public = tools.folder / "public.pem"
    public.write_bytes(make_key("taro-auth").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tools.folder / "message").write_bytes(MESSAGE)
    said = tools.run("openssl", "dgst", "-sha256", "-verify", public.name, "-signature", signature.name, "message")
    assert said.strip() == "Verified OK"


def test_opensc_names_the_card(opensc: OpenSc) -> None:
    assert opensc.run("opensc-tool", "--name").strip() == "jpki"


def test_the_dump_lists_both_pins_with_their_tries_and_all_certificates(opensc: OpenSc) -> None:
    dump = opensc.run("pkcs15-tool", "--dump")
    pins = re.findall(r"PIN \[([^]]*)\].*?Tries left +: (\d+)", dump, re.DOTALL)
    assert pins == [("User Authentication PIN", "3"), ("Digital Signature PIN", "5")]
    certificates = re.findall(r"X.509 Certificate \[(.*)\]", dump)
    assert len(certificates) == 4
    assert "User Authentication Certificate" in certificates


def test_the_certificate_comes_out_byte_for_byte(opensc: OpenSc) -> None:
    text = opensc.run("pkcs15-tool", "--read-certificate", "1")
    (opensc.folder / "read.pem").write_text(text)
    opensc.run("openssl", "x509", "-in", "read.pem", "-outform", "DER", "-out", "read.der")
    assert (opensc.folder / "read.der").read_bytes() == make_certificate("taro-auth")


def test_pkcs15_crypt_signs_a_digest(opensc: OpenSc) -> None:
    (opensc.folder / "message").write_bytes(MESSAGE)
    opensc.run("openssl", "dgst", "-sha256", "-binary", "-out", "digest", "message")
    signing = ["--sign", "--key", "1", "--sha-256", "--pkcs1", "--pin", PIN]
    opensc.run("pkcs15-crypt", *signing, "--input", "digest", "--output", "crypt.sig", "--raw")
    require_signature(opensc, opensc.folder / "crypt.sig")


def test_pkcs11_signs_a_message_after_login(opensc: OpenSc) -> None:
    (opensc.folder / "message").write_bytes(MESSAGE)
    login = ["--module", find_module(), "--login", "--pin", PIN]
    signing = ["--sign", "--mechanism", "SHA256-RSA-PKCS", "--input-file", "message", "--output-file", "token.sig"]
    opensc.run("pkcs11-tool", *login, *signing)
    require_signature(opensc, opensc.folder / "token.sig")


def test_a_contactless_card_without_a_signature_certificate_is_named_and_read_all_the_same(tmp_path: Path) -> None:
    profile = write_profile(tmp_path, "child", signature_certificate=False)
    with Pcscd() as pcscd, virtual_card(profile, pcscd.vpcd):
        tools = OpenSc(pcscd, profile, tmp_path)
        tools.run("opensc-tool", "--wait", "--atr")
        assert tools.run("opensc-tool", "--name").strip() == "jpki"
        assert "User Authentication Certificate" in tools.run("pkcs15-tool", "--dump")


def test_the_tools_are_there() -> None:
    """Without them every test above would fail for a reason that has nothing to do with the card."""
    tools = ("opensc-tool", "pkcs15-tool", "pkcs15-crypt", "pkcs11-tool", "openssl")
    assert [tool for tool in tools if shutil.which(tool) is None] == []
