"""A Zammad in memory behind real HTTP, for the demo and for tests.

It passes the same checks as a real Zammad 6.0.0 (`tests/contract/zammad_conformance.py`); what they don't cover proves
nothing about the real one. It imports nothing else of this project.
"""

from .people import People, Person, everything_but
from .rows import Refused
from .server import SandboxZammad

__all__ = ["People", "Person", "Refused", "SandboxZammad", "everything_but"]
