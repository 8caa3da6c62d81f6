import ast

import nbformat
import pytest

from lesionbook import dependencies

MODULES = {
    "__init__.py": "",
    "a.py": "from lesionbook.b import thing\nimport numpy\n",
    "b.py": "import lesionbook.c\n",
    "c.py": "from lesionbook import a\n",  # round in a circle
    "alone.py": "import json\nfrom pathlib import Path\n",
    "late.py": "def f():\n    from lesionbook import alone\n    return alone\n",
    "figures/__init__.py": "from lesionbook import errors\n",
    "figures/curves.py": "",
    "figures/bars.py": "from lesionbook.figures.curves import draw, other\n",
    "errors.py": "",
}


def clear():
    dependencies.of_modules.cache_clear()
    dependencies.of_notebook.cache_clear()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small library of the same name."""
    folder = tmp_path / "lesionbook"
    for name, source in MODULES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source)
    monkeypatch.setattr(dependencies, "PACKAGE", folder)
    clear()
    yield folder
    clear()


def names(files):
    return [path.relative_to(dependencies.PACKAGE).as_posix() for path in files]


@pytest.mark.parametrize(
    ("module", "used"),
    [
        ("lesionbook.alone", ["__init__.py", "alone.py"]),
        ("lesionbook.a", ["__init__.py", "a.py", "b.py", "c.py"]),
        ("lesionbook.c", ["__init__.py", "a.py", "b.py", "c.py"]),
        ("lesionbook.late", ["__init__.py", "alone.py", "late.py"]),
        (
            "lesionbook.figures.bars",
            ["__init__.py", "errors.py", *(f"figures/{n}.py" for n in ("__init__", "bars", "curves"))],
        ),
        ("lesionbook.figures", ["__init__.py", "errors.py", "figures/__init__.py"]),
        ("numpy", []),
        ("lesionbookkeeping.a", []),
    ],
)
def test_what_a_module_uses_directly_or_not(package, module, used):
    assert names(dependencies.of_modules(module)) == used


def test_several_modules_together(package):
    both = names(dependencies.of_modules("lesionbook.alone", "lesionbook.b"))
    assert both == ["__init__.py", "a.py", "alone.py", "b.py", "c.py"]


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("from lesionbook import alone", ["__init__.py", "alone.py"]),
        ("from lesionbook import alone as other, errors", ["__init__.py", "alone.py", "errors.py"]),
        ("import lesionbook", ["__init__.py"]),
        ("import lesionbook.alone as one", ["__init__.py", "alone.py"]),
        (
            "from lesionbook.figures import curves",
            ["__init__.py", "errors.py", "figures/__init__.py", "figures/curves.py"],
        ),
        ("import numpy as np\nx = 'import lesionbook.alone'", []),
    ],
)
def test_what_a_notebook_uses(package, tmp_path, source, used):
    cells = [
        nbformat.v4.new_markdown_cell("from lesionbook import late"),
        nbformat.v4.new_code_cell(source),
        nbformat.v4.new_code_cell("1 + 1"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "n.ipynb")
    assert names(dependencies.of_notebook(tmp_path / "n.ipynb")) == used


def fingerprint(modules=("lesionbook.figures.bars",), packages=("numpy",), values=None):
    clear()
    return dependencies.fingerprint(modules=modules, packages=packages, values=values or {"a": 1, "b": [2, 3]})


def test_the_fingerprint_changes_with_code_that_is_used_and_with_no_other(package):
    first = fingerprint()
    assert len(first) == 16 and int(first, 16) >= 0
    (package / "alone.py").write_text("changed = True\n")
    assert fingerprint() == first
    for used in ("figures/bars.py", "figures/curves.py", "figures/__init__.py", "errors.py", "__init__.py"):
        before = fingerprint()
        path = package / used
        path.write_text(path.read_text() + "x = 1\n")
        assert fingerprint() != before, used


def test_the_fingerprint_does_not_change_with_words_and_layout(package):
    path = package / "figures/bars.py"
    path.write_text("import math\n\n\ndef area(a, b):\n    return math.fabs(a * b)\n")
    first = fingerprint()
    path.write_text(
        '"""Bars."""\nimport math\n\n\ndef area(a, b):\n    """Area."""\n    return math.fabs(a * b)  # cm\n'
    )
    assert fingerprint() == first
    path.write_text("import math\n\n\ndef area(a, b):\n    return math.fabs(a + b)\n")
    assert fingerprint() != first
    path.write_text('import math\n\n\ndef area(a, b):\n    """Only documented."""\n')
    assert fingerprint() != first


def test_the_fingerprint_does_not_depend_on_where_the_library_lies(package, tmp_path, monkeypatch):
    first = fingerprint()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(dependencies, "PACKAGE", package.rename(tmp_path / "elsewhere" / "lesionbook"))
    assert fingerprint() == first


def test_the_fingerprint_changes_with_values_but_not_with_their_order(package):
    first = fingerprint()
    assert fingerprint(values={"b": [2, 3], "a": 1}) == first
    assert fingerprint(values={"a": 1, "b": [3, 2]}) != first
    assert fingerprint(values={"a": 1.5, "b": [2, 3]}) != first


def test_the_fingerprint_changes_with_versions(package, monkeypatch):
    first = fingerprint()
    versions = {"numpy": "1.2.3", "pandas": "4"}
    monkeypatch.setattr(dependencies.metadata, "version", versions.__getitem__)
    renewed = fingerprint()
    assert renewed != first
    versions["pandas"] = "5"
    assert fingerprint() == renewed
    assert fingerprint(packages=("numpy", "pandas")) != renewed


@pytest.mark.parametrize("module", ["lesionbook.training", "lesionbook.architectures.residual_cnn"])
def test_changing_a_figure_or_a_page_trains_nothing(module):
    clear()
    used = names(dependencies.of_modules(module))
    assert "training.py" in used or "architectures/residual_cnn.py" in used
    looks = ("figures/", "render/", "report.py", "tables.py", "statistics.py", "run.py", "provenance.py", "params.py")
    assert [name for name in used if name.startswith(looks)] == []


def test_every_import_inside_the_library_can_be_followed():
    """A relative import would be overlooked, and what it names would change unseen."""
    for path in sorted(dependencies.PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        relative = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
        assert not relative, f"{path.relative_to(dependencies.PACKAGE)}, lines {relative}: write the whole name"
