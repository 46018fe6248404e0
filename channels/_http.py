"""Whether a request that failed may have arrived all the same."""

import requests
import urllib3.exceptions

from connector.outbound import AddressRefused

_NEVER_LEFT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.SSLError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.LocationParseError,
)


def may_have_left(error: requests.RequestException) -> bool:
    """False only when it is certain that no byte of the request reached the other side."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return False
    if isinstance(error, AddressRefused | requests.exceptions.InvalidURL):
        return False
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return not isinstance(reason, _NEVER_LEFT)
