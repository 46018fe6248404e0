"""Requests to addresses that a config names: where they may go, and how long they may take.

Who answers for a name can change its mind, so a name is looked up once and the address that was checked is the one
connected to. No redirects, no proxies and no credentials from the environment. The whole exchange has an end, however
slowly the other side speaks: a read timeout alone begins anew with each byte.
"""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

CONNECT_TIMEOUT = 4.0  # seconds
READ_TIMEOUT = 10.0  # seconds between two bytes of an answer
WITHIN = 14.0  # seconds for all of it; less than a lease

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Where clouds keep credentials for whoever asks from inside, besides the link-local 169.254.169.254.
METADATA = frozenset(ipaddress.ip_address(each) for each in ("100.100.100.200", "192.0.0.192", "fd00:ec2::254"))

#: Networks whose last 32 bits are an IPv4 address: mapped (RFC 4291), compatible (the same), NAT64 (RFC 6052).
_CARRIERS = tuple(ipaddress.ip_network(each) for each in ("::ffff:0:0/96", "::/96", "64:ff9b::/96"))


class AddressRefused(requests.RequestException):
    """A name that points where we don't go; nothing was sent. Its text says where, never the name."""


def refused(host: str, address: Address, *, plain: bool, allow_private: bool = False) -> str:
    """Why we don't connect to this address of this host, or "". `plain`: the request would go unencrypted.

    A name that leads to a private address or to this machine needs `allow_private`: its zone may be anybody's. An
    address that is written out (or `localhost`) is meant.
    """
    for each in _meant(address):
        if each.is_link_local or each in METADATA:
            return "a link-local or metadata address"
        if each.is_multicast or each.is_unspecified or (each.version == 4 and each.is_reserved):
            return "an address that is no host's"
        written_out = is_address(host) or (host == "localhost" and each.is_loopback)
        if not each.is_global and not allow_private and not written_out:
            return "a private address, which only `allow_private` would let it"
        if plain and not each.is_loopback:
            return "another host without https"
    return ""


def is_address(host: str) -> bool:
    """In the usual form; 2130706433, 0x7f.1 and 127.1 are looked up like names."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _meant(address: Address) -> Iterator[Address]:
    """The address, or the ones that are wrapped up in it."""
    if isinstance(address, ipaddress.IPv4Address) or address.is_unspecified or address.is_loopback:
        yield address
    elif any(address in carrier for carrier in _CARRIERS):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    elif address.sixtofour is not None:
        yield address.sixtofour
    elif address.teredo is not None:
        yield from address.teredo
    else:
        yield address


def look_up(host: str, port: int) -> list[Address]:
    """The addresses of a host. Raises requests.ConnectTimeout."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise requests.ConnectTimeout("the name could not be looked up") from error
    return [ipaddress.ip_address(str(each[4][0]).split("%")[0]) for each in found]


class Deadline:
    """Cuts the connections that are made under it when their time is over, in whatever state they are then."""

    def __init__(self, seconds: float) -> None:
        self._lock = threading.Lock()
        self._held: list[socket.socket] = []
        self.over = False
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "Deadline":
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for held in self._held:
                held.close()
            self._held.clear()

    def hold(self, connection: socket.socket) -> None:
        """Holds it by a duplicate: TLS takes the socket itself over."""
        with self._lock:
            self._held.append(connection.dup())
            if self.over:
                self._shut()

    def _cut(self) -> None:
        with self._lock:
            self.over = True
            self._shut()

    def _shut(self) -> None:
        for held in self._held:
            with suppress(OSError):  # it has been closed from the other side
                held.shutdown(socket.SHUT_RDWR)


class CheckedAdapter(HTTPAdapter):
    """Looks the host up once, refuses forbidden addresses, and connects to exactly the address it has checked."""

    def __init__(self, deadline: Deadline, *, allow_http: bool = False, allow_private: bool = False) -> None:
        super().__init__(max_retries=0)
        self._deadline = deadline
        self._allow_http, self._allow_private = allow_http, allow_private

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        where, how = super().build_connection_pool_key_attributes(request, verify, cert)
        host, plain = str(where["host"]).strip("[]"), where["scheme"] == "http"
        addresses = look_up(host, where["port"] or (80 if plain else 443))
        for address in addresses:
            # One bad address among several is enough: which one a client takes would be chance.
            open_to_all = plain and not self._allow_http
            if reason := refused(host, address, plain=open_to_all, allow_private=self._allow_private):
                raise AddressRefused(reason)
        request.headers["Host"] = urlsplit(str(request.url)).netloc.rpartition("@")[2]
        if not plain:
            return {**where, "host": str(addresses[0])}, {**how, "server_hostname": host, "assert_hostname": host}
        return {**where, "host": str(addresses[0])}, how

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _held_by(self._deadline, pool.ConnectionCls)
        return pool


def _held_by(deadline: Deadline, kind: Any) -> Any:
    class Held(kind):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            made: socket.socket = super()._new_conn()
            deadline.hold(made)
            return made

    return Held


def get(url: str, *, allow_private: bool = False, within: float = WITHIN) -> int:
    """The status of a GET; nothing else of the answer is read. See `request`."""
    with request("GET", url, allow_private=allow_private, within=within) as answer:
        return answer.status_code


def post(url: str, body: bytes, headers: dict[str, str], **reach: Any) -> requests.Response:
    """POSTs; see `request`."""
    return request("POST", url, body, headers, **reach)


def request(
    method: str,
    url: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    allow_http: bool = False,
    allow_private: bool = False,
    ca_file: str = "",
    within: float = WITHIN,
) -> requests.Response:
    """The answer's head; its body is not read, and the caller closes it.

    https unless the address is this machine's or `allow_http`; see `refused` for `allow_private`. Raises
    requests.RequestException, of which AddressRefused means that the name leads where we don't go.
    """
    with requests.Session() as session, Deadline(within) as deadline:
        session.trust_env = False
        session.mount("https://", CheckedAdapter(deadline, allow_private=allow_private))
        session.mount("http://", CheckedAdapter(deadline, allow_http=allow_http, allow_private=allow_private))
        answer = session.request(
            method,
            url,
            data=body or None,
            headers=headers,
            timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            allow_redirects=False,
            verify=ca_file or True,
            stream=True,
        )
        if deadline.over:  # a head that was cut passes for one that has ended
            answer.close()
            raise requests.ReadTimeout("the answer took too long")
        return answer
