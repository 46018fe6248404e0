"""What the stand-in for Twilio keeps, and the shapes in which Twilio tells it. Times are aware UTC."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from werkzeug.wrappers import Response

#: Twilio's error codes: HTTP status and words (https://www.twilio.com/docs/api/errors).
ERRORS: Mapping[int, tuple[int, str]] = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    21211: (400, "Invalid 'To' Phone Number"),
    21220: (400, "Call is not in-progress. Cannot redirect."),
    21408: (403, "Permission to send an SMS has not been enabled for the region"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number"),
    500: (500, "Internal Server Error"),
    502: (502, "Bad Gateway"),
    503: (503, "Service Unavailable"),
}

#: Statuses of a call that is over.
ENDED = ("completed", "busy", "failed", "no-answer", "canceled")


@dataclass
class Text:
    """An SMS that was sent through here. `answer`: it answers an SMS of a person."""

    sid: str
    to: str
    sender: str
    body: str
    at: datetime
    status: str = "queued"
    error_code: str = ""
    callback: str = field(default="", repr=False)
    answer: bool = False
    form: Mapping[str, list[str]] = field(default_factory=dict, repr=False)


@dataclass
class Call:
    """A call that was placed through here, with what was said and which keys were pressed."""

    sid: str
    to: str
    sender: str
    twiml: str
    at: datetime
    status: str = "queued"
    said: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    callback: str = field(default="", repr=False)
    events: tuple[str, ...] = ("completed",)
    form: Mapping[str, list[str]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Callback:
    """A request that was made to the program under test (`at`), and its answer (status 0: it could not be reached)."""

    url: str
    params: Mapping[str, str]
    status: int
    body: str
    at: datetime


def text_json(text: Text, account_sid: str) -> dict[str, Any]:
    sent = text.status not in ("queued", "accepted")
    return {
        "sid": text.sid,
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "to": text.to,
        "from": text.sender,
        "body": text.body,
        "status": text.status,
        "direction": "outbound-reply" if text.answer else "outbound-api",
        "num_segments": "1",
        "num_media": "0",
        "error_code": int(text.error_code) if text.error_code else None,
        "error_message": None,
        "date_created": format_datetime(text.at),
        "date_updated": format_datetime(text.at),
        "date_sent": format_datetime(text.at) if sent else None,
        "uri": f"/2010-04-01/Accounts/{account_sid}/Messages/{text.sid}.json",
    }


def call_json(call: Call, account_sid: str) -> dict[str, Any]:
    return {
        "sid": call.sid,
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "to": call.to,
        "from": call.sender,
        "status": call.status,
        "direction": "outbound-api",
        "answered_by": None,
        "date_created": format_datetime(call.at),
        "date_updated": format_datetime(call.at),
        "start_time": format_datetime(call.at) if call.status != "queued" else None,
        "end_time": None,
        "uri": f"/2010-04-01/Accounts/{account_sid}/Calls/{call.sid}.json",
    }


def sign(token: str, url: str, params: Mapping[str, str]) -> str:
    """X-Twilio-Signature: base64 of HMAC-SHA1 over the URL and the sorted form."""
    text = url + "".join(key + params[key] for key in sorted(params))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def within(query: Mapping[str, str], name: str, at: datetime) -> bool:
    day = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    after, before, on = query.get(f"{name}>"), query.get(f"{name}<"), query.get(name)
    return (
        (after is None or day[: len(after)] >= after)
        and (before is None or day[: len(before)] <= before)
        and (on is None or day[: len(on)] == on)
    )


def as_json(status: int, body: Mapping[str, Any]) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")


def refuse(code: int) -> Response:
    status, words = ERRORS[code]
    more = f"https://www.twilio.com/docs/errors/{code}"
    return as_json(status, {"code": code, "message": words, "more_info": more, "status": status})
