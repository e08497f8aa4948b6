"""Who may import whom, checked on the source: the rules of the layers, each with its reason.

`domain` and `errors` import nothing of ours. `aws`, `sessions` and `store` import those two. `ui` sees AWS and sessions
through the Protocols of `domain.services`. `plugin` stands alone. `cli` and `commands` compose.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import ssm_tui

ROOT = Path(ssm_tui.__file__).parent
OURS = {
    "domain": {"domain", "errors"},
    "errors": set(),
    "aws": {"aws", "domain", "errors"},
    "sessions": {"sessions", "domain", "errors", "background"},
    "store": {"store", "domain", "errors"},
    "ui": {"ui", "domain", "errors", "background"},
    "background": set(),
    "plugin": {"plugin"},
    "demo": {"demo", "plugin", "errors"},
    "config": {"config", "domain", "errors"},
}
STDLIB_ONLY = {"domain", "errors", "background"}
# A third-party package, and where alone it may be imported. The plugin ends and resumes sessions by the SDK, as AWS's
# own does, in one module that it loads when it must.
PLACES = {
    "textual": {"ui"},
    "rich": {"ui", "commands"},
    "boto3": {"aws", "demo"},
    "botocore": {"aws", "demo", "plugin/service.py"},
    "websockets": {"plugin", "demo"},
    "asyncssh": {"demo"},
    "pyperclip": {"ui/clipboard.py"},
    "subprocess": {"sessions", "demo", "ui/handover.py"},
    # Heavy, and wanted rarely: who has a busy port, and whether a process still lives where there is no /proc.
    "psutil": {"sessions/local/ports.py", "store/processes.py"},
}
PROCESS_STARTERS = {"create_subprocess_exec", "create_subprocess_shell", "posix_spawn", "Popen", "execvp", "fork"}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def unit(module: Path) -> str:
    """The layer: the package's folder, or the module's own name at the top."""
    first = module.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


@cache
def items(module: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(module.read_text(encoding="utf-8"))))


def imports(module: Path) -> Iterator[str]:
    for item in items(module):
        if isinstance(item, ast.Import):
            yield from (alias.name for alias in item.names)
        elif isinstance(item, ast.ImportFrom):
            assert item.level == 0, f"{module}: imports are absolute"
            assert item.module is not None
            yield from (f"{item.module}.{alias.name}" for alias in item.names)


def dotted(module: Path) -> str:
    return ".".join(module.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


def name_of(module: Path) -> str:
    return str(module.relative_to(ROOT))


@pytest.mark.parametrize("module", modules(), ids=name_of)
def test_imports_of_ours(module: Path) -> None:
    allowed = OURS.get(unit(module))
    if allowed is None:
        return
    ours = {name.split(".")[1] for name in imports(module) if name.startswith("ssm_tui.")} - {"__version__"}
    assert ours <= allowed


@pytest.mark.parametrize("module", modules(), ids=name_of)
def test_imports_of_others(module: Path) -> None:
    here = module.relative_to(ROOT).as_posix()
    roots = {name.split(".")[0] for name in imports(module)}
    for package in roots & set(PLACES):
        assert any(here == place or here.startswith(f"{place}/") for place in PLACES[package]), package
    if unit(module) in STDLIB_ONLY:
        assert not roots & {*PLACES, "msgspec", "platformdirs"}


@pytest.mark.parametrize("module", modules(), ids=name_of)
def test_processes_are_started_in_their_places_alone(module: Path) -> None:
    here = module.relative_to(ROOT).as_posix()
    calls = {
        item.func.attr for item in items(module) if isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute)
    }
    if calls & PROCESS_STARTERS:
        assert unit(module) in {"sessions", "demo"} or here == "ui/handover.py"


def test_no_module_comes_back_to_itself() -> None:
    """Whoever reads one need not have read it before. Imports for types, and those within functions, count too."""
    known = {dotted(module) for module in modules()}
    graph = {
        dotted(module): {each if each in known else each.rpartition(".")[0] for each in imports(module)}
        for module in modules()
    }
    order = [each for each in TopologicalSorter(graph).static_order() if each in known]  # raises CycleError
    assert order.index("ssm_tui.domain.nodes") < order.index("ssm_tui.ui.app")


def test_the_rules_see_every_layer() -> None:
    assert {unit(module) for module in modules()} >= set(OURS)
