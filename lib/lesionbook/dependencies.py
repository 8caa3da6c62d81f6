"""Which modules of the library a notebook or a module uses, directly or not, read from the imports themselves.

Two things rest on it: a notebook runs again when a module it uses has changed and not otherwise, and a trained model is
kept under a fingerprint of the code that trained it.
"""

import ast
import hashlib
import json
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from lesionbook import sources

PACKAGE = Path(__file__).resolve().parent


@cache
def of_notebook(path: Path) -> list[Path]:
    """Files of the library that a notebook uses, sorted."""
    code = (cell.text for cell in sources.cells(path) if cell.kind == "code")
    return _closure(_imports("\n".join(code)))


@cache
def of_modules(*names: str) -> list[Path]:
    """Files of the library that the named modules (``lesionbook.training``) use, themselves included, sorted."""
    return _closure({path for name in names for path in _files(name)})


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Versions of the packages that are installed; the others are left out."""
    found = {}
    for name in packages:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def fingerprint(*, modules: tuple[str, ...], packages: tuple[str, ...], values: Any) -> str:
    """Hash over code, package versions and values: equal where a computation must come out the same.

    Parameters
    ----------
    modules : tuple of str
        Modules of the library whose code (with all they use) decides the result; comments and docstrings do not.
    packages : tuple of str
        Packages whose version decides it, as far as they are installed.
    values
        Anything JSON can hold: parameters, seeds, hashes of the data.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    content = hashlib.sha256()
    for path in of_modules(*modules):
        content.update(f"{path.relative_to(PACKAGE).as_posix()} {_code(path.read_text(encoding='utf-8'))}".encode())
    content.update(json.dumps([versions(packages), values], sort_keys=True).encode())
    return content.hexdigest()[:16]


@cache  # a sweep asks for the same modules again and again
def _code(source: str) -> str:
    """Give what a module does, without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def _closure(start: set[Path]) -> list[Path]:
    found: set[Path] = set()
    waiting = set(start)
    while waiting:
        path = waiting.pop()
        found.add(path)
        waiting |= _imports(path.read_text(encoding="utf-8")) - found
    return sorted(found)


def _imports(source: str) -> set[Path]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            # "from a import b" may name the module a.b as well as something inside a.
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {path for name in names for path in _files(name)}


def _files(name: str) -> set[Path]:
    """Files that importing a dotted name runs: the module and the packages above it; none for other libraries."""
    parts = name.split(".")
    if parts[0] != PACKAGE.name:
        return set()
    files = set()
    for depth in range(1, len(parts) + 1):
        base = PACKAGE.joinpath(*parts[1:depth])
        files |= {file for file in (base / "__init__.py", base.with_suffix(".py")) if file.is_file()}
    return files
