"""The ways to reach somebody: one module a kind, found by its being here.

A module states at its top `KIND`, `Options` (what stands under its name in the config; unknown keys are errors) and
`build(name, options, shared)`, which returns a `Channel`. Names that start with an underscore are shared parts.
"""

import importlib
import logging
import pkgutil
from types import ModuleType

from ._shared import Shared, TwilioSettings
from ._templates import BUILT_IN, Texts

__all__ = ["BUILT_IN", "Shared", "Texts", "TwilioSettings", "discover"]

# These write addresses, numbers and whole headers below WARNING (httpx: every URL, so every device token).
for _name in ("httpx", "httpcore", "urllib3", "hpack", "twilio"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def discover() -> dict[str, ModuleType]:
    """Every channel module by its kind."""
    found = {}
    for info in pkgutil.iter_modules(__path__):
        if not info.name.startswith("_"):
            module = importlib.import_module(f"{__name__}.{info.name}")
            found[module.KIND] = module
    return found
