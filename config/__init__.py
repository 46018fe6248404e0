"""The config file: read, explained, checked. `load` never raises on what an admin wrote; it says what is wrong."""

from .loader import Loaded, load, load_or_raise
from .problems import Problem, Severity
from .settings import Settings

__all__ = ["Loaded", "Problem", "Settings", "Severity", "load", "load_or_raise"]
