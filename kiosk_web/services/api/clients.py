"""Clients of the API: added by the operator with their public key, listed, given another key, revoked."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from kiosk_web.errors import ClientError
from kiosk_web.identity.offer import Offer
from kiosk_web.pki.client_keys import ClientKey, ClientKeyRefused, read_client_key
from kiosk_web.pki.status_policy import PolicyName
from kiosk_web.services.ports import Clock, Store
from kiosk_web.services.ports.clients import ClientKeyRecord, ClientRecord

METHODS: tuple[PolicyName, ...] = ("ocsp", "crl", "ocsp-then-crl")
RATES = range(1, 100_001)
DEFAULT_RATE = 600
MAXIMUM_ORIGINS = 20
LONGEST_OVERLAP = timedelta(days=30)
_NAME = re.compile(r"[a-z][a-z0-9-]{1,31}")
_PATH = re.compile(r"(?:[A-Za-z0-9._~-]{1,64}/){0,8}[A-Za-z0-9._~-]{0,64}")


def find_api_systems(offer: Offer) -> frozenset[str]:
    """The cooperating systems that the API may serve, by row 2 of the profiles' table. That of a municipal library has
    MyKey IDs, not PPIDs.
    """
    online = {service.system for service in offer.services if service.terms.usable_online}
    named = {service.system for service in offer.services}
    bare = {system.id for system in offer.systems if system.id not in named and not system.municipal_library}
    return frozenset(online | bare)


def find_link_systems(offer: Offer) -> frozenset[str]:
    """The cooperating systems whose links are kept here, so that the API may change them."""
    return frozenset(system.id for system in offer.systems if system.link_holder == "platform")


class ClientService:
    """`systems` are those the API may serve here, `link_systems` those whose links it may keep."""

    def __init__(
        self, *, store: Store, systems: Collection[str], clock: Clock, link_systems: Collection[str] = ()
    ) -> None:
        self._store = store
        self._systems = frozenset(systems)
        self._link_systems = frozenset(link_systems)
        self._clock = clock

    async def add_client(
        self,
        name: str,
        key: bytes,
        *,
        systems: Sequence[str],
        methods: Sequence[str],
        origins: Sequence[str],
        rate: int = DEFAULT_RATE,
        terminals: Sequence[str] = (),
        link_systems: Sequence[str] = (),
        redirect_uris: Sequence[str] = (),
    ) -> tuple[ClientRecord, ClientKeyRecord]:
        """Raises `ClientError`, which says what to change."""
        if _NAME.fullmatch(name) is None:
            raise ClientError(
                "A client's name has 2 to 32 small letters, digits and hyphens, and begins with a letter."
            )
        if not systems and not link_systems:
            raise ClientError("Name at least one system (--system, or --links).")
        now = self._clock()
        record = ClientRecord(
            name,
            _read_systems(systems, self._systems, "the API may serve"),
            read_methods(methods),
            read_origins(origins),
            _read_rate(rate),
            now,
            terminals=tuple(dict.fromkeys(terminals)),
            link_systems=_read_systems(link_systems, self._link_systems, "keeps its links here"),
            redirect_uris=read_redirect_uris(redirect_uris),
        )
        key_record = _build_key_record(name, key, self._clock)
        async with self._store.write() as transaction:
            if await transaction.clients.find(name) is not None:
                raise ClientError(f"There is, or was, a client {name!r}. Choose another name, or rotate its key.")
            if await transaction.clients.is_key_known(key_record.id):
                raise ClientError("A client has this key, or had it. Make a new one for each client.")
            for terminal in record.terminals:
                if await transaction.terminals.find_by_name(terminal) is None:
                    raise ClientError(f"There is no terminal {terminal!r} (`kiosk terminal list`).")
            await transaction.clients.add(record, key_record)
        return record, key_record

    async def list_clients(self) -> tuple[ClientRecord, ...]:
        async with self._store.read() as transaction:
            return await transaction.clients.list_all()

    async def rotate_key(self, name: str, key: bytes, overlap: timedelta) -> ClientKeyRecord:
        """Another key from now on; the one before holds for `overlap` more. Raises `ClientError`."""
        if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise ClientError(f"The old key may go on for 0 hours to {LONGEST_OVERLAP.days} days.")
        record = _build_key_record(name, key, self._clock)
        async with self._store.write() as transaction:
            known = await transaction.clients.find(name)
            if known is None or known.revoked_at is not None:
                raise ClientError(f"There is no client {name!r} in force.")
            if await transaction.clients.is_key_known(record.id):
                raise ClientError("A client has this key, or had it. Make a new one.")
            await transaction.clients.add_key(record, record.created_at + overlap)
        return record

    async def revoke_client(self, name: str) -> None:
        """Its keys and access tokens end now. Raises `ClientError` for an unknown name."""
        async with self._store.write() as transaction:
            if await transaction.clients.find(name) is None:
                raise ClientError(f"There is no client {name!r}.")
            await transaction.clients.revoke(name, self._clock())


def _read_systems(systems: Sequence[str], known: frozenset[str], what: str) -> tuple[str, ...]:
    unknown = sorted(set(systems) - known)
    if unknown:
        listed = ", ".join(sorted(known)) or "none"
        raise ClientError(f"There is no system {unknown[0]!r} that {what}. There are: {listed}.")
    return tuple(dict.fromkeys(systems))


def read_methods(methods: Sequence[str]) -> tuple[PolicyName, ...]:
    """In the order given: the first is the one that is used where a request names none. Raises `ClientError`."""
    chosen = tuple(method for name in dict.fromkeys(methods) for method in METHODS if method == name)
    if not methods or len(chosen) != len(set(methods)):
        raise ClientError(f"A method is one of {', '.join(METHODS)}.")
    return chosen


def read_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Serialised origins, as a browser sends them: compared sign by sign. Raises `ClientError`."""
    if len(origins) > MAXIMUM_ORIGINS:
        raise ClientError(f"A client has at most {MAXIMUM_ORIGINS} origins.")
    for origin in origins:
        try:
            parts = urlsplit(origin)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        default = {"https": 443, "http": 80}.get(parts.scheme, 0)
        shown = f"[{host}]" if host and ":" in host else host
        expected = f"{parts.scheme}://{shown}" + (f":{port}" if port not in (None, default) else "")
        local = host in ("127.0.0.1", "localhost", "::1")
        secure = parts.scheme == "https" or (parts.scheme == "http" and local)
        if not host or not origin.isascii() or origin != expected or not secure:
            raise ClientError(
                f"{origin!r} is not an origin like https://www.example.lg.jp: "
                "https (http for this computer alone), small letters, no path, no closing slash."
            )
    return tuple(dict.fromkeys(origins))


def read_redirect_uris(addresses: Sequence[str]) -> tuple[str, ...]:
    """Addresses of one page each, compared sign by sign later (RFC 9700 2.1). Raises `ClientError`."""
    if len(addresses) > MAXIMUM_ORIGINS:
        raise ClientError(f"A client has at most {MAXIMUM_ORIGINS} redirect addresses.")
    for address in addresses:
        scheme, _, rest = address.partition("://")
        authority, slash, path = rest.partition("/")
        if not slash or _PATH.fullmatch(path) is None or any(part in (".", "..") for part in path.split("/")):
            raise ClientError(
                f"{address!r} is not an address like https://booking.example.lg.jp/kiosk/return: "
                "an origin and a path of letters, digits and . _ ~ -; no query, no fragment."
            )
        read_origins([f"{scheme}://{authority}"])
    return tuple(dict.fromkeys(addresses))


def _read_rate(rate: int) -> int:
    if rate not in RATES:
        raise ClientError(f"The rate is {RATES.start} to {RATES.stop - 1} requests a minute.")
    return rate


def _build_key_record(client: str, data: bytes, clock: Clock) -> ClientKeyRecord:
    try:
        key: ClientKey = read_client_key(data)
    except ClientKeyRefused as error:
        raise ClientError(f"The key is not taken: {error}.") from None
    return ClientKeyRecord(key.id, client, key.der, clock())
