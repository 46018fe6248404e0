"""The helpdesks that Escalator speaks to: one module or package each, found by looking.

Each has `KIND` (its word in the config), `Options` (a marshmallow schema of its options) and
`build(options) -> Helpdesk`.
"""

import importlib
import importlib.util
import pkgutil
from types import ModuleType


def discover() -> dict[str, ModuleType]:
    """Every helpdesk in this package by its kind."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return {module.KIND: module for module in modules if hasattr(module, "KIND")}


def set_up_of(kind: str) -> ModuleType | None:
    """What sets this helpdesk up (`build(wanted, administrator) -> setting_up.SetUp`); None: nothing can yet."""
    package = discover()[kind].__name__
    name = f"{package}.set_up"
    return importlib.import_module(name) if importlib.util.find_spec(name) is not None else None


def probes_of(kind: str) -> ModuleType:
    """What makes and closes a probe there (`build(options) -> probing.Probes`)."""
    return importlib.import_module(f"{discover()[kind].__name__}.probe")
