"""The notebooks as they are stored: readable, clean, and made of calls."""

import ast
import itertools
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nbformat
import pytest

from lesionbook import params, sources

ROOT = Path(__file__).resolve().parent.parent
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))

pytestmark = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def cells(path, kind=None):
    return [cell for cell in nbformat.read(path, as_version=4).cells if kind in (None, cell.cell_type)]


def text(path):
    return "\n\n".join(cell.source for cell in cells(path, "markdown"))


def tree(path):
    return ast.parse("\n".join(cell.source for cell in cells(path, "code")))


def calls(code, name):
    """Keyword arguments of each call of a function of `lesionbook.report`."""
    found = [
        node
        for node in ast.walk(code)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name
    ]
    return [
        {keyword.arg: keyword.value for keyword in node.keywords}
        for node in sorted(found, key=lambda node: node.lineno)
    ]


def is_text(node):
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def labels(path, name):
    """Labels of the figures or tables that a notebook shows, itself or by a section that all models share."""
    given = [one["label"] for one in calls(tree(path), name) + shared(path, name)]
    return [ast.literal_eval(label) for label in given if isinstance(label, ast.Constant)]  # others come with the data


def shared(path, name):
    sections = {
        alias.name
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module == "lesionbook.sections"
        for alias in node.names
    }
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).partition(".")[0] in sections:
            module, function = ast.unparse(node.func).split(".")
            source = ast.parse((ROOT / "lib" / "lesionbook" / "sections" / f"{module}.py").read_text(encoding="utf-8"))
            (body,) = [one for one in source.body if isinstance(one, ast.FunctionDef) and one.name == function]
            found += calls(body, name)
    return found


def parameters(path):
    return [cell for cell in cells(path) if "parameters" in cell.metadata.get("tags", [])]


def test_stored_without_results(path):
    for cell in cells(path, "code"):
        assert cell.outputs == []
        assert cell.execution_count is None


def test_stored_without_traces_of_an_editor(path):
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)
    assert [cell.id for cell in notebook.cells] == [f"cell-{number:03d}" for number in range(len(notebook.cells))]
    assert all(cell.source.strip() == cell.source != "" for cell in notebook.cells)
    assert path.read_text(encoding="utf-8") == nbformat.writes(notebook) + "\n"


def test_begins_with_title_and_question(path):
    first = cells(path)[0]
    assert first.cell_type == "markdown"
    title, question, *rest = first.source.split("\n\n")
    assert re.fullmatch(r"# \S.*", title)
    assert re.fullmatch(r"\*[^*]+\?\*", question)
    assert len(" ".join(rest).split()) > 25
    assert text(path).count("\n# ") == 0


def test_one_cell_of_parameters_with_a_comment_on_every_line(path):
    (cell,) = parameters(path)
    assert cells(path)[1] == cell
    for line in cell.source.splitlines():
        assert re.fullmatch(r"\w+ = .+  # \S.{5,}", line), line
    assert list(params.defaults(path))[: len(params.COMMON)] == list(params.COMMON)


def test_every_parameter_is_used(path):
    read = {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    assert set(params.defaults(path)) - read - {"threads"} == set()


def test_the_defaults_open_the_study_of_the_sample_outside_of_its_results(path):
    known = params.defaults(path)
    assert known["study"] in {file.stem for file in (ROOT / "params").glob("*.yml")}
    assert known["profile"] == "sample"
    assert known["output"] == f"build/by-hand/{known['step']}"


def test_made_of_calls(path):
    forbidden = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.While, ast.Try)
    assert [type(node).__name__ for node in ast.walk(tree(path)) if isinstance(node, forbidden)] == []


def test_cells_are_short(path):
    for cell in cells(path, "code"):
        assert len(cell.source.splitlines()) <= 20 or cell in parameters(path), cell.source
    for cell in cells(path, "markdown"):
        assert len(cell.source.split()) <= 200, cell.source


def test_no_downloads_and_no_path_arithmetic(path):
    modules = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module.split(".")[0])
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and is_text(node.right):
            assert re.fullmatch(r"run\.output|run\.folder\([^)]+\)", ast.unparse(node.left)), ast.unparse(node)
    assert modules <= {"lesionbook", "numpy", "pandas", "keras"}
    code = "\n".join(cell.source for cell in cells(path, "code"))
    assert not re.search(r"https?://|['\"](/|\.\./|~)|^[!%]", code, re.MULTILINE)


def test_figures_and_tables_can_be_found_and_understood(path):
    figures, tables = calls(tree(path), "show_figure"), calls(tree(path), "show_table")
    assert tables
    for given in figures:
        assert {"label", "caption", "alt"} <= set(given)
    for given in tables:
        assert {"label", "caption"} <= set(given)
    for name in ("show_figure", "show_table"):
        assert [label for label, count in Counter(labels(path, name)).items() if count > 1] == []


def test_references_lead_somewhere(path):
    known = {"fig": labels(path, "show_figure"), "tbl": labels(path, "show_table")}
    for said, kind, label in re.findall(r"\[(\w+)\]\(#(fig|tbl)-([^)]+)\)", text(path)):
        assert said == {"fig": "Figure", "tbl": "Table"}[kind]
        assert label in known[kind]


def test_every_section_is_explained(path):
    for cell in cells(path, "markdown"):
        for heading, rest in re.findall(r"^#+ (.+)\n*(.*)", cell.source, re.MULTILINE):
            assert rest, heading


def test_no_sentence_turns_into_a_list_where_it_is_broken(path):
    for cell in cells(path, "markdown"):
        for before, line in itertools.pairwise(cell.source.split("\n")):
            if re.match(r"(\d+\.|[-+*]) ", line) and before and not re.match(r"(\d+\.|[-+*]|  ) ?", before):
                raise AssertionError(f"begins a list in the middle of a paragraph: {line!r}")


def test_ends_with_what_was_learned_its_limits_and_where_it_comes_from(path):
    *_, learned, last = cells(path)
    assert learned.source.startswith("## What was learned\n\n- ")
    assert "\n\n**Limits.** " in learned.source
    assert "provenance.table(" in last.source
    assert ast.literal_eval(calls(tree(path), "show_table")[-1]["label"]) == "provenance"


def test_the_library_knows_its_opening(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    title, question = sources.opening(path)
    assert cells(path)[0].source.startswith(f"# {title}\n\n*{question}*")


def test_formatted(path):
    for command in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", str(path)], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
