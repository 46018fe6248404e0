"""Requests to addresses that a config names: where they may go, and what their failure says.

The address that was checked is the one connected to: a name is looked up once, so that it can't point to somewhere else
a moment later. No redirects, no proxies and no credentials from the environment.
"""

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from ._shared import CONNECT_TIMEOUT, READ_TIMEOUT

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Where clouds keep credentials for whoever asks from inside, besides the link-local 169.254.169.254.
METADATA = frozenset(ipaddress.ip_address(each) for each in ("100.100.100.200", "192.0.0.192", "fd00:ec2::254"))

_NEVER_LEFT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.SSLError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.LocationParseError,
)


class AddressRefused(requests.RequestException):
    """A name that points where we don't go; nothing was sent."""


def may_have_left(error: requests.RequestException) -> bool:
    """False only when it is certain that no byte of the request reached the other side."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return False
    if isinstance(error, AddressRefused | requests.exceptions.InvalidURL):
        return False
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return not isinstance(reason, _NEVER_LEFT)


def refused(address: Address, *, plain: bool) -> str:
    """Why we don't connect to this address, or "". `plain`: the request would go unencrypted."""
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_link_local or address in METADATA:
        return "a link-local or metadata address"
    if address.is_multicast or address.is_unspecified or (address.version == 4 and address.is_reserved):
        return "an address that is no host's"
    if plain and not address.is_loopback:
        return "another host without https"
    return ""


def look_up(host: str, port: int) -> list[Address]:
    """The addresses of a host. Raises requests.ConnectionError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise requests.ConnectTimeout("the name could not be looked up") from error
    return [ipaddress.ip_address(str(each[4][0]).split("%")[0]) for each in found]


class CheckedAdapter(HTTPAdapter):
    """Looks the host up once, refuses forbidden addresses, and connects to exactly the address it has checked."""

    def __init__(self, *, allow_http: bool = False) -> None:
        super().__init__(max_retries=0)
        self._allow_http = allow_http

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        where, how = super().build_connection_pool_key_attributes(request, verify, cert)
        host, plain = str(where["host"]), where["scheme"] == "http"
        addresses = look_up(host, where["port"] or (80 if plain else 443))
        for address in addresses:
            # One bad address among several is enough: which one a client takes would be chance.
            if reason := refused(address, plain=plain and not self._allow_http):
                raise AddressRefused(reason)
        request.headers["Host"] = urlsplit(str(request.url)).netloc.rpartition("@")[2]
        if not plain:
            return {**where, "host": str(addresses[0])}, {**how, "server_hostname": host, "assert_hostname": host}
        return {**where, "host": str(addresses[0])}, how


def post(url: str, body: bytes, headers: dict[str, str], *, allow_http: bool, ca_file: str) -> requests.Response:
    """POSTs and returns the answer's head; its body is not read. Raises requests.RequestException."""
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", CheckedAdapter())
        session.mount("http://", CheckedAdapter(allow_http=allow_http))
        return session.post(
            url,
            data=body,
            headers=headers,
            timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            allow_redirects=False,
            verify=ca_file or True,
            stream=True,
        )
