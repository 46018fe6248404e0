"""The Flask app for gunicorn; nothing else."""

from connector.services import current
from connector.web.app import create_app

app = create_app(current)
