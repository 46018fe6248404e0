"""A stand-in for Twilio: Messages and Calls of its REST API on the loopback, and the people behind the numbers.

It answers in Twilio's shapes, signs its callbacks as Twilio does (https://www.twilio.com/docs/usage/security), plays
scripts for texts and calls, and can be told to fail. Times are aware UTC.
"""

import re
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import requests
from werkzeug.wrappers import Request, Response

from ._people import CallScript, CallTurn, TextScript, TextTurn, read_aloud, twiml
from ._server import HttpServer, Stoppable, hang_up
from ._twilio_records import ENDED, Call, Callback, Text, as_json, call_json, refuse, sign, text_json, within
from ._wait import Recorder

#: hang: no answer at all · cut: it is done, but the connection ends before the answer · drop: the same, nothing done
Trouble = int | Literal["hang", "cut", "drop"]

_PATH = re.compile(r"/2010-04-01/Accounts/(?P<account>[^/.]+)(?:/(?P<what>Messages|Calls)(?:/(?P<sid>[^/.]+))?)?\.json")


class Twilio(Stoppable, Recorder):
    """`with Twilio() as twilio:`; give `twilio.url` as `twilio.api_url`, with its account SID and auth token.

    public_url, deliver_to: callbacks are signed for the public URL that they name and delivered to this one instead.
    sms_url: where the replies of people go, as an account's number is configured ("" = replies go nowhere).
    pace: seconds that a text takes to arrive and that a phone rings.
    """

    def __init__(
        self,
        *,
        account_sid: str = "AC" + "0" * 32,
        auth_token: str = "stand-in-token",  # noqa: S107
        public_url: str = "",
        deliver_to: str = "",
        sms_url: str = "",
        pace: float = 0.02,
        port: int = 0,
    ) -> None:
        super().__init__()
        self.account_sid, self.auth_token = account_sid, auth_token
        self.public_url, self.deliver_to, self.sms_url = public_url, deliver_to, sms_url
        self.pace = pace
        self._texts: dict[str, Text] = {}
        self._calls: dict[str, Call] = {}
        self._callbacks: list[Callback] = []
        self._text_scripts: dict[str, TextScript] = {}
        self._call_scripts: dict[str, CallScript] = {}
        self._troubles: list[tuple[Trouble, str]] = []
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._server = HttpServer(self._answer, port=port)

    # --- for the story ----------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def messages(self) -> tuple[Text, ...]:
        """Every text so far, oldest first; copies that don't change."""
        with self.changed:
            return tuple(replace(text) for text in self._texts.values())

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call so far, oldest first; copies that don't change."""
        with self.changed:
            return tuple(replace(call) for call in self._calls.values())

    @property
    def callbacks(self) -> tuple[Callback, ...]:
        with self.changed:
            return tuple(self._callbacks)

    def on_sms(self, number: str) -> TextScript:
        """A fresh script for texts to this number. Without one every text is delivered."""
        with self.changed:
            script = self._text_scripts[number] = TextScript()
            return script

    def on_call(self, number: str) -> CallScript:
        """A fresh script for calls to this number. Without one nobody answers."""
        with self.changed:
            script = self._call_scripts[number] = CallScript()
            return script

    def answer_with(self, trouble: Trouble, *, times: int = 1, to: str = "") -> None:
        """The next `times` requests that create something (for this number, where one is named) fail like this."""
        with self.changed:
            self._troubles += [(trouble, to)] * times

    def works_again(self) -> None:
        with self.changed:
            self._troubles.clear()

    def text_from(self, number: str, body: str, *, to: str = "+15005550006") -> None:
        """A person sends an SMS by themself."""
        self._in_background(self._send_reply, number, to, body)

    def start(self) -> None:
        self._stopping.clear()
        self._server.start()

    def stop(self) -> None:
        self._stopping.set()
        with self.changed:
            self.changed.notify_all()
        self._server.stop()
        while self._threads:
            self._threads.pop().join()

    # --- the REST API -----------------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> Response:
        match = _PATH.fullmatch(request.path)
        if match is None:
            return refuse(20404)
        user = request.authorization
        given = (user.username, user.password) if user else (None, None)
        if given != (self.account_sid, self.auth_token) or match["account"] != self.account_sid:
            return refuse(20003)
        if match["what"] is None:
            return as_json(200, {"sid": self.account_sid, "status": "active", "friendly_name": "stand-in"})
        if request.method == "GET":
            return self._list(match["what"], request)
        if match["sid"]:
            return self._update_call(match["sid"], request)
        return self._create(match["what"], request)

    def _create(self, what: str, request: Request) -> Response:
        trouble = self._next_trouble(request.form.get("To", ""))
        if isinstance(trouble, int):
            return refuse(trouble)
        if trouble == "hang":
            self._stopping.wait(60)
            return refuse(503)
        if trouble == "drop":
            return hang_up(request)
        made = self._new_message(request) if what == "Messages" else self._new_call(request)
        return hang_up(request) if trouble == "cut" else as_json(201, made)

    def _next_trouble(self, to: str) -> Trouble | None:
        with self.changed:
            for index, (trouble, number) in enumerate(self._troubles):
                if number in ("", to):
                    del self._troubles[index]
                    return trouble
            return None

    def _new_message(self, request: Request) -> dict[str, Any]:
        form = request.form
        text = self._record_text(
            form.get("To", ""),
            form.get("From", ""),
            form.get("Body", ""),
            form.get("StatusCallback", ""),
            form.to_dict(flat=False),
        )
        with self.changed:
            script = self._text_scripts.get(text.to)
            turn = script.next() if script else TextTurn()
        self._in_background(self._play_text, text, turn)
        return text_json(text, self.account_sid)

    def _record_text(
        self, to: str, sender: str, body: str, callback: str = "", form: Mapping[str, list[str]] | None = None
    ) -> Text:
        with self.changed:
            sid = f"SM{uuid.uuid4().hex}"
            text = Text(sid, to, sender, body, datetime.now(UTC), callback=callback, form=form or {})
            text.answer = form is None
            self._texts[sid] = text
            self.changed.notify_all()
            return text

    def _new_call(self, request: Request) -> dict[str, Any]:
        form = request.form
        with self.changed:
            sid = f"CA{uuid.uuid4().hex}"
            call = Call(
                sid,
                form.get("To", ""),
                form.get("From", ""),
                form.get("Twiml", ""),
                datetime.now(UTC),
                callback=form.get("StatusCallback", ""),
                events=tuple(form.getlist("StatusCallbackEvent")) or ("completed",),
                form=form.to_dict(flat=False),
            )
            self._calls[sid] = call
            script = self._call_scripts.get(call.to)
            turn = script.next() if script else CallTurn()
            self.changed.notify_all()
        self._in_background(self._play_call, call, turn)
        return call_json(call, self.account_sid)

    def _update_call(self, sid: str, request: Request) -> Response:
        with self.changed:
            call = self._calls.get(sid)
            if call is None:
                return refuse(20404)
            if call.status in ENDED:
                return refuse(21220)
            if request.form.get("Status") in ("completed", "canceled"):
                call.status = "completed" if call.status == "in-progress" else "canceled"
            self.changed.notify_all()
            return as_json(200, call_json(call, self.account_sid))

    def _list(self, what: str, request: Request) -> Response:
        query = request.args
        with self.changed:
            records: list[Text | Call] = [*self._texts.values()] if what == "Messages" else [*self._calls.values()]
            rows = [
                text_json(each, self.account_sid) if isinstance(each, Text) else call_json(each, self.account_sid)
                for each in reversed(records)
                if query.get("To", each.to) == each.to
                and query.get("From", each.sender) == each.sender
                and within(query, "DateSent" if what == "Messages" else "StartTime", each.at)
            ]
        size = int(query.get("PageSize", 50))
        page = {"page": 0, "page_size": size, "start": 0, "end": 0, "uri": request.path, "next_page_uri": None}
        return as_json(200, {what.lower(): rows[:size], **page})

    # --- the people -------------------------------------------------------------------------------------------------

    def _play_text(self, text: Text, turn: TextTurn) -> None:
        self._text_is(text, "sent")
        if self._stopping.wait(self.pace) or not turn.status:
            return
        text.error_code = turn.error_code
        self._text_is(text, turn.status)
        if turn.reply:
            self._send_reply(text.to, text.sender, turn.reply)

    def _text_is(self, text: Text, status: str) -> None:
        with self.changed:
            text.status = status
            self.changed.notify_all()
        params = {"MessageSid": text.sid, "SmsSid": text.sid, "MessageStatus": status, "SmsStatus": status}
        self._call_back(text.callback, {**params, "To": text.to, "From": text.sender, "ErrorCode": text.error_code})

    def _send_reply(self, person: str, to: str, body: str) -> None:
        params = {"MessageSid": f"SM{uuid.uuid4().hex}", "From": person, "To": to, "Body": body}
        answer = self._call_back(self.sms_url, {**params, "NumSegments": "1", "NumMedia": "0"})
        for said in twiml(answer).iter("Message"):
            text = self._record_text(person, to, "".join(said.itertext()))
            self._text_is(text, "delivered")

    def _play_call(self, call: Call, turn: CallTurn) -> None:
        for status, event in (("initiated", "initiated"), ("ringing", "ringing")):
            if not self._call_is(call, status, event):
                return
        with self.changed:
            self.changed.wait_for(lambda: self._stopping.is_set() or call.status in ENDED, self.pace)
        if turn.answered and self._call_is(call, "in-progress", "answered"):
            self._detect(call, turn.answered_by)
            self._converse(call, turn.keys)
        self._call_is(call, "completed" if turn.answered else turn.status, "completed")

    def _detect(self, call: Call, answered_by: str) -> None:
        """Tells who picked up, where the call asks for that (asynchronously: the call goes on meanwhile)."""
        there = call.form.get("AsyncAmdStatusCallback", [""])[0]
        if there and call.form.get("MachineDetection") == ["Enable"] and call.form.get("AsyncAmd") == ["true"]:
            params = {"CallSid": call.sid, "AnsweredBy": answered_by, "MachineDetectionDuration": "3000"}
            self._call_back(there, params)

    def _call_is(self, call: Call, status: str, event: str) -> bool:
        """Moves the call on and tells so; False when it was hung up meanwhile (which is told once, as its end)."""
        with self.changed:
            over = call.status in ENDED
            if self._stopping.is_set():
                return False
            if not over:
                call.status = status
                self.changed.notify_all()
            elif event != "completed":
                event = "completed"
            told = call.status
        if event in call.events:
            self._call_back(call.callback, self._call_params(call) | {"CallStatus": told})
        return not over

    def _converse(self, call: Call, keys: tuple[str, ...]) -> None:
        """Says the document and presses the keys, as long as the call lasts."""
        document, pressed = twiml(call.twiml), list(keys)
        for _ in range(20):
            said, action = read_aloud(document, has_key=bool(pressed))
            with self.changed:
                call.said += said
                self.changed.notify_all()
            if action is None or call.status in ENDED:
                return
            digit = pressed.pop(0)
            with self.changed:
                call.keys += (digit,)
            params = self._call_params(call) | {"CallStatus": "in-progress", "Digits": digit}
            document = twiml(self._call_back(urljoin(call.callback, action), params))

    def _call_params(self, call: Call) -> dict[str, str]:
        return {"CallSid": call.sid, "To": call.to, "From": call.sender, "Direction": "outbound-api"}

    def _call_back(self, url: str, params: Mapping[str, str]) -> str:
        """Posts a signed form and returns the answer's body; "" when there is no URL or nobody there."""
        if not url or self._stopping.is_set():
            return ""
        form = {key: value for key, value in params.items() if value} | {
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
        }
        there = url
        if self.deliver_to and url.startswith(self.public_url):
            there = self.deliver_to + url.removeprefix(self.public_url)
        headers = {"X-Twilio-Signature": sign(self.auth_token, url, form), "User-Agent": "TwilioProxy/1.1"}
        at = datetime.now(UTC)
        try:
            if urlsplit(there).hostname not in ("127.0.0.1", "::1", "localhost"):
                raise requests.ConnectionError("a stand-in never leaves this machine")
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(there, data=form, headers=headers, timeout=10, allow_redirects=False)
            callback = Callback(url, form, answer.status_code, answer.text, at)
        except requests.RequestException:
            callback = Callback(url, form, 0, "", at)
        with self.changed:
            self._callbacks.append(callback)
            self.changed.notify_all()
        return callback.body if callback.status == 200 else ""

    def _in_background(self, play: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=play, args=args, name="twilio-person")
        with self.changed:
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
            thread.start()
