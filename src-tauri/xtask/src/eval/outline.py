"""Prints, for every Python file below the folder given, what can be read from its syntax tree, as JSON."""

import ast
import json
import pathlib
import sys

root = pathlib.Path(sys.argv[1])
outlines = {}
for file in sorted(root.rglob("*.py")):
    try:
        tree = ast.parse(file.read_bytes())
        # Some errors are found only when it is compiled.
        compile(tree, str(file), "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        outline = {"parses": False, "names": [], "statements": 0}
    else:
        nodes = list(ast.walk(tree))
        definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        outline = {
            "parses": True,
            "names": sorted({node.name for node in nodes if isinstance(node, definitions)}),
            "statements": sum(
                isinstance(node, ast.stmt) and not isinstance(node, (ast.Import, ast.ImportFrom)) for node in nodes
            ),
        }
    outlines[file.relative_to(root).as_posix()] = outline
json.dump(outlines, sys.stdout)
