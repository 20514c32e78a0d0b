"""Every test can fail by what it says: it asserts something, or calls a helper of its module that
does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
EXPECTING = {"raises", "warns", "fail"}


def calls(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.func.attr
            elif isinstance(node.func, ast.Name):
                yield node.func.id


def asserting(functions: list[ast.FunctionDef]) -> set[str]:
    """Names of those that assert, themselves or by one of the others."""
    found: set[str] = set()
    while True:
        more = {
            one.name
            for one in functions
            if any(isinstance(node, ast.Assert) for node in ast.walk(one))
            or any(
                name in EXPECTING or name.startswith("assert") or name in found
                for name in calls(one)
            )
        }
        if more == found:
            return found
        found = more


def silent(source: str) -> set[str]:
    """The tests of a module that assert nothing."""
    functions = [one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.FunctionDef)]
    tests = {one.name for one in functions if one.name.startswith("test_")}
    return tests - asserting(functions)


def test_every_test_asserts_something() -> None:
    modules = sorted(TESTS.rglob("test_*.py"))
    found = {
        f"{path.relative_to(TESTS)}: {name}"
        for path in modules
        for name in silent(path.read_text())
    }
    assert len(modules) > 100
    assert found == set()


def test_a_test_that_only_runs_is_found() -> None:
    source = "def helper(): assert 1\ndef test_a(): helper()\ndef test_b(): print()\n"
    assert silent(source) == {"test_b"}
