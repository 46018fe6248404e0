"""The engine's world, built by hand on a real Redis: see `tests/engine/conftest.py`."""

from tests.engine.conftest import world

__all__ = ["world"]
