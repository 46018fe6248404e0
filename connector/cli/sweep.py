"""`escalator sweep`: looks at the helpdesk for missed tickets and changes now."""

import click

from .common import Places, as_json, placed, print_json, say


@click.command()
@placed
@as_json
def sweep(places: Places, json_: bool) -> None:
    """Ask the helpdesk what changed, and have read what no webhook told of."""
    found = places.services().sweep.look_at_helpdesk()
    if json_:
        print_json({"tickets": [{"id": id} for id in found]})
    elif found:
        say(f"{len(found)} ticket{'s' if len(found) > 1 else ''} to read: id {', '.join(found)}.")
    else:
        say("Nothing was missed.")
