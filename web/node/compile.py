"""Compile /job/in to /job/out in the browser's own Python (run by prepare.mjs).

The byte code is of the "unchecked hash" kind: it is used without looking for a source, which the site does not carry.
Docstrings of modules and functions are dropped; those of classes stay, because `dataclasses` writes an absent one from
the signature at import time, which costs more than keeping it.
"""

import ast
import importlib._bootstrap_external as external
import json
from pathlib import Path

settings = json.loads(SETTINGS)  # type: ignore[name-defined]  # noqa: F821


class DropDocstrings(ast.NodeTransformer):
    def strip(self, node):
        self.generic_visit(node)
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            node.body[0] = ast.copy_location(ast.Pass(), first)
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = strip  # noqa: N815

    def visit_Module(self, node):
        # A module without a docstring must not begin with `pass`: `from __future__` has to come first.
        self.generic_visit(node)
        if ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
        return node


done = []
for name in settings["files"]:
    source = Path("/job/in", name).read_bytes()
    where = f"{settings['logical']}/{name}"
    tree = DropDocstrings().visit(ast.parse(source, where))
    code = compile(ast.fix_missing_locations(tree), where, "exec", dont_inherit=True)
    target = Path("/job/out", name).with_suffix(".pyc")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(external._code_to_hash_pyc(code, b"\0" * 8, checked=False))
    done.append(name)

ANSWER = json.dumps(done)
