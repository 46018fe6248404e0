"""`--stay`: a second ticket whose acknowledgement is left to whoever clicks, and pages to watch it on."""

import threading

from jinja2 import Environment
from rich.console import Console
from werkzeug.wrappers import Request, Response

from ...sandbox.providers._server import HttpServer
from . import DEVICE, NUMBER
from .look import lines_of
from .play import Play
from .stage import Stage

TITLE = "Mail server outage"

_PAGE = Environment(autoescape=True).from_string("""<!doctype html>
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="2">
<title>Ticket {{ ticket.number }}</title>
<style>body{font:16px/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}
.note{background:#fdf3d8;border-left:4px solid #e0a800;padding:.6rem 1rem;margin:1rem 0}
.note::first-line{font-weight:bold}.article{border-left:4px solid #bbb;padding:.6rem 1rem}small{color:#666}</style>
<h1>{{ ticket.title }}</h1>
<p>Ticket {{ ticket.number }} · {{ ticket.priority }} · {{ ticket.state }} · owner: {{ owner }}
{% for tag in tags %}· <code>{{ tag }}</code> {% endfor %}</p>
{% for kind, who, at, lines in articles %}<div class="{{ kind }}">{% for line in lines %}{{ line }}<br>{% endfor %}
<small>{{ who }}, {{ at }}{% if kind == "note" %}, internal{% endif %}</small></div>{% endfor %}
""")


def stay_open(stage: Stage, console: Console) -> None:
    """Runs until Ctrl-C (KeyboardInterrupt)."""
    stage.twilio.on_call(NUMBER).no_answer()
    console.print("\nNow it is your turn: nobody answers this one's call.\n", soft_wrap=True)
    play = Play(stage, console)
    play.open_ticket(TITLE)
    id = int(play.ticket["id"])
    with HttpServer(lambda request: _ticket_page(stage, request, id)) as pages:
        console.print(f"The ticket, as agents see it:  {pages.url}/tickets/{id}", soft_wrap=True)
        play.watch(lambda _: bool(_link(stage, id)), until=30)
        console.print(f"Dana's acknowledge link:       {_link(stage, id)}", soft_wrap=True)
        console.print("Ctrl-C ends it and leaves nothing behind.", soft_wrap=True)
        play.watch(lambda _: False, until=float("inf"))
        threading.Event().wait()


def _link(stage: Stage, id: int) -> str:
    """What the push's action button would post to."""
    number = stage.zammad.ticket(id)["number"]
    for push in stage.apns.pushes:
        asked = push.payload["escalation"].get("acknowledge")
        if asked and push.device == DEVICE and number in str(push.payload["aps"]["alert"]):
            return str(asked["url"])
    return ""


def _ticket_page(stage: Stage, request: Request, id: int) -> Response:
    if request.path != f"/tickets/{id}":
        return Response("There is only one ticket here.", 404)
    zammad = stage.zammad
    ticket = zammad.ticket(id)
    articles = [
        ("note" if row["internal"] else "article", row["from"], row["created_at"], lines_of(row["body"]))
        for row in zammad.articles(id)
    ]
    owner = "nobody" if ticket["owner"] == "-" else ticket["owner"]
    page = _PAGE.render(ticket=ticket, articles=articles, owner=owner, tags=zammad.tags(id))
    return Response(page, mimetype="text/html")
