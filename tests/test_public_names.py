"""What is public says so: `__all__` is true, each public name has a docstring. The source is read:
nothing heavy is imported.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("upwell", "gateway", "stream", "encoders", "learner", "store", "infra")
PLAIN = frozenset({"start", "stop", "close"})
"""Methods whose class says what begins and ends."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def files(*folders: str) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = [ROOT / name for name in listed.splitlines() if name.endswith(".py")]
    return [one for one in found if one.exists()]


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


TREES = {module_name(file): ast.parse(file.read_text()) for file in files(*FOLDERS)}


def exported(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def defined(tree: ast.Module) -> set[str]:
    """What stands in a module's own scope."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.ClassDef | Function):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found |= {(one.asname or one.name).split(".")[0] for one in node.names}
    return found


def port_methods() -> set[str]:
    """Methods that a Protocol names: what they promise stands in its docstring."""
    return {
        method.name
        for tree in TREES.values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and "Protocol" in map(ast.unparse, node.bases)
        for method in node.body
        if isinstance(method, Function)
    }


def public(module: str) -> Iterator[tuple[str, ast.ClassDef | Function]]:
    for node in TREES[module].body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node.name, node
            for method in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(method, Function) and not method.name.startswith("_"):
                    yield f"{node.name}.{method.name}", method


def imports(file: Path) -> Iterator[tuple[str, str]]:
    """(module of ours, name taken from it)."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module in TREES:
            for one in node.names:
                if f"{node.module}.{one.name}" not in TREES:
                    yield node.module, one.name


@pytest.mark.parametrize("module", TREES)
def test_all_names_what_is_there_once(module: str) -> None:
    tree = TREES[module]
    names = exported(tree)
    if not any(isinstance(node, ast.ClassDef | Function | ast.Import) for node in tree.body):
        names = names or []
    assert names is not None, "has no __all__"
    assert len(names) == len(set(names))
    assert set(names) <= defined(tree)


def test_what_others_import_is_in_all() -> None:
    """Tests may look inside."""
    taken = {
        (module, name)
        for file in files(*FOLDERS, "bench", "examples", "recipes")
        for module, name in imports(file)
        if module != module_name(file)
    }
    assert taken
    missing = {
        f"{module}.{name}" for module, name in taken if name not in (exported(TREES[module]) or ())
    }
    assert sorted(missing) == [], "add them to __all__"


def test_each_public_name_says_what_it_is() -> None:
    told_in_a_port = port_methods() | PLAIN
    assert "read_users" in told_in_a_port
    silent = [
        f"{module}.{name}"
        for module in TREES
        for name, node in public(module)
        if not ast.get_docstring(node)
        and not ("." in name and name.rpartition(".")[2] in told_in_a_port)
    ]
    assert silent == []


def test_each_module_says_what_it_is() -> None:
    assert [module for module, tree in TREES.items() if not ast.get_docstring(tree)] == []
