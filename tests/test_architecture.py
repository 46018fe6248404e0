"""Imports point one way, so that each part can be read, tested and replaced by itself.

wsgi, cli, jobs -> services -> web, clockwork, engine, channels, helpdesks, config -> ports -> core
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("connector", "channels", "config", "wsgi")

#: What each part may import of ours, besides itself. The longest name that fits a module says which part it is in.
PORTS = {"connector.core", "connector.ports", "connector.errors", "connector.setting_up", "connector.probing"}
PLAIN = PORTS | {"connector.faults", "connector.outbound", "connector.points", "connector.queues"}
EDGES = {"connector.web", "connector.clockwork", "connector.engine", "connector.helpdesks", "channels", "config"}
MAY_IMPORT: dict[str, set[str]] = {
    "connector.core": set(),
    "connector.errors": set(),
    "connector.faults": {"connector.errors"},
    "connector.outbound": set(),
    "connector.points": set(),
    "connector.probing": {"connector.core"},
    "connector.ports": {"connector.core"},
    "connector.setting_up": {"connector.errors"},
    "connector.sandbox": set(),
    "connector.helpdesks": PLAIN,
    "channels": PLAIN,
    "config": PLAIN | {"channels", "connector.helpdesks"},
    "connector.engine": PLAIN,
    "connector.clockwork": PLAIN | {"connector.engine"},
    "connector.web": PLAIN | {"connector.engine", "connector.clockwork", "channels"},
    "connector.rehearsing": PLAIN | {"connector.engine"},
    "connector.services": PLAIN | {"connector.redis_server", "connector.rehearsing"} | EDGES,
}


def _modules() -> Iterator[tuple[str, Path]]:
    for top in OURS:
        for path in [ROOT / f"{top}.py", *sorted((ROOT / top).rglob("*.py"))]:
            if path.exists():
                parts = path.relative_to(ROOT).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(_modules())


@cache
def _imports(module: str) -> frozenset[str]:
    return frozenset(_imported(module))


def _imported(module: str) -> Iterator[str]:
    """Every module that this one imports, by its full name; `from a import b` counts as a.b where that is a module."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for part in node.body
        for inner in ast.walk(part)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if inner in MODULES else base


def _part(module: str) -> str:
    """The part that a module is in: the longest listed name that fits, else the module itself."""
    fitting = [part for part in MAY_IMPORT if module == part or module.startswith(part + ".")]
    return max(fitting, key=len, default=module)


def _of_ours(module: str) -> set[str]:
    return {name for name in _imports(module) if name.split(".")[0] in OURS}


@pytest.mark.parametrize("module", [module for module in MODULES if _part(module) in MAY_IMPORT])
def test_imports_point_one_way(module: str) -> None:
    part = _part(module)
    foreign = {name for name in _of_ours(module) if _part(name) != part}
    assert {name for name in foreign if _part(name) not in MAY_IMPORT[part]} == set()


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("connector.core")])
def test_the_core_imports_only_the_standard_library_and_itself(module: str) -> None:
    outside = {name for name in _imports(module) if not name.startswith("connector.core")}
    assert {name for name in outside if name.split(".")[0] not in sys.stdlib_module_names} == set()


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("connector.core")])
def test_the_core_knows_no_clock_no_chance_and_no_output(module: str) -> None:
    forbidden = {"time", "random", "secrets", "uuid", "logging", "socket", "threading", "os", "pathlib"}
    assert {name.split(".")[0] for name in _imports(module)} & forbidden == set()


@pytest.mark.parametrize("module", MODULES)
def test_flask_is_imported_only_for_the_web(module: str) -> None:
    if module == "wsgi" or module.startswith("connector.web"):
        return
    assert not {name for name in _imports(module) if name.split(".")[0] in ("flask", "flask_limiter")}


@pytest.mark.parametrize(
    "module",
    [m for m in MODULES if m.startswith(("connector.core", "connector.helpdesks", "channels", "config"))],
)
def test_who_talks_to_the_world_knows_no_queue(module: str) -> None:
    assert not {name for name in _imports(module) if name.split(".")[0] in ("rq", "redis")}


def test_nobody_below_imports_what_starts_a_process() -> None:
    above = ("wsgi", "connector.cli", "connector.jobs", "connector.worker", "connector.supervisor")
    below = [module for module in MODULES if _part(module) in MAY_IMPORT]
    assert {m: n for m in below for n in _of_ours(m) if n.startswith(above)} == {}


def test_the_sandbox_is_imported_only_to_run_it() -> None:
    users = {module for module in MODULES if any(n.startswith("connector.sandbox") for n in _of_ours(module))}
    assert {m for m in users if not m.startswith(("connector.sandbox", "connector.cli"))} == set()
