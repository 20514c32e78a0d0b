"""Nothing that came in is run, unpickled or used as a path: the product's sources are searched for
the ways to do so.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("upwell", "gateway", "stream", "encoders", "learner", "store", "infra")
MODULES = frozenset(
    {
        "pickle",
        "cPickle",
        "_pickle",
        "marshal",
        "shelve",
        "dill",
        "cloudpickle",
        "joblib",
        "code",
        "codeop",
        "runpy",
    }
)
BUILTINS = frozenset({"eval", "exec", "compile", "__import__", "input"})
CALLS = frozenset(
    {
        "yaml.load",
        "yaml.unsafe_load",
        "os.system",
        "os.popen",
        "tempfile.mktemp",
        "torch.jit.load",
        "importlib.import_module",
    }
)
SAFE_WHEN = {"torch.load": ("weights_only", True)}
NEVER_WITH = {"shell": True, "allow_pickle": True, "weights_only": False, "trust_remote_code": True}

BAD = """
import pickle
from marshal import loads
eval(text)
exec(text)
__import__(name)
yaml.load(file)
yaml.load(file, Loader=yaml.Loader)
torch.load(path)
torch.load(path, weights_only=False)
np.load(path, allow_pickle=True)
subprocess.run(text, shell=True)
subprocess.run(text, shell=flag)
os.system(text)
import importlib; importlib.import_module(name)
AutoModel.from_pretrained(name, trust_remote_code=True)
""".strip().splitlines()
GOOD = """
import json
re.compile(text)
model.eval()
torch.load(path, weights_only=True)
np.load(path)
yaml.safe_load(file)
subprocess.run([program], shell=False)
""".strip().splitlines()


def dangers(tree: ast.AST) -> Iterator[str]:
    """What of it runs or unpickles what it is given, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (
                f"{node.lineno}: import {name.name}"
                for name in node.names
                if name.name.split(".")[0] in MODULES
            )
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield f"{node.lineno}: from {node.module}"
        elif isinstance(node, ast.Call):
            yield from (f"{node.lineno}: {why}" for why in _dangers_of_call(node))


def _dangers_of_call(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    given = {
        one.arg: one.value.value if isinstance(one.value, ast.Constant) else None
        for one in call.keywords
    }
    if name in BUILTINS or name in CALLS:
        yield name
    if name in SAFE_WHEN and given.get(SAFE_WHEN[name][0]) is not SAFE_WHEN[name][1]:
        yield f"{name} without {SAFE_WHEN[name][0]}"
    for argument, dangerous in NEVER_WITH.items():
        if argument in given and given[argument] in (dangerous, None):
            yield f"{name} with {argument}"


@pytest.mark.parametrize("line", BAD)
def test_the_search_finds(line: str) -> None:
    assert len(list(dangers(ast.parse(line)))) >= 1


@pytest.mark.parametrize("line", GOOD)
def test_the_search_lets_pass(line: str) -> None:
    assert list(dangers(ast.parse(line))) == []


def test_the_product_runs_nothing_that_it_was_given() -> None:
    files = [path for folder in PRODUCT for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(files) > 60
    assert [
        f"{path.relative_to(ROOT)}:{found}"
        for path in files
        for found in dangers(ast.parse(path.read_text()))
    ] == []
