"""The Flask app for gunicorn; nothing else."""

from contextlib import suppress

from connector.errors import EscalatorError
from connector.services import current
from connector.web.app import create_app

app = create_app(current)

with suppress(EscalatorError):  # ready before the first webhook; what is wrong is each request's own error
    current()
