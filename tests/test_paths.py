from pathlib import Path

import pytest

from lesionbook import paths
from lesionbook.errors import LesionbookError

PACKAGE = Path(paths.__file__).resolve().parent


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    (folder / "params").mkdir(parents=True)
    (folder / "notebooks").mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_the_nearest_project_at_or_above_the_working_directory(project, monkeypatch):
    assert paths.root() == project
    monkeypatch.chdir(project / "notebooks")
    assert paths.root() == project
    inner = project / "notebooks" / "inner"
    (inner / "params").mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert paths.root() == project, "a params folder alone is no project"
    (inner / "notebooks").mkdir()
    assert paths.root() == inner


def test_elsewhere_the_project_that_the_library_lies_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert paths.root() == PACKAGE.parent.parent


def test_no_project_at_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "site-packages" / "paths.py"))
    with pytest.raises(LesionbookError, match=f"^No Lesionbook project at or above '{tmp_path.name}'; run from inside"):
        paths.root()


def test_the_layout(project):
    found = [
        paths.study_file("s"),
        paths.notebook("01-explore"),
        paths.step("laptop", "s", "net"),
        paths.drawn("ham10000", "0123"),
        paths.downloaded("ham10000"),
        paths.cache(),
        paths.report("laptop", "s", "net"),
        paths.report("laptop", "s", "book", "pdf"),
    ]
    assert [paths.relative(path) for path in found] == [
        "params/s.yml",
        "notebooks/01-explore.ipynb",
        "build/laptop/s/net",
        "build/drawn/ham10000-0123",
        "data/ham10000",
        "build/trained",
        "reports/laptop/s/net.html",
        "reports/laptop/s/book.pdf",
    ]


def test_relative_leads_out_of_the_project_and_takes_links_as_they_are_named(project):
    (project.parent / "shared").mkdir()
    assert paths.relative(project.parent / "shared" / "data") == "../shared/data"
    assert paths.relative(Path("params")) == "params"
    assert paths.relative(project / "notebooks" / ".." / "params") == "params"
    (project / "build").symlink_to(project.parent / "shared", target_is_directory=True)
    assert paths.relative(project / "build" / "x") == "build/x"
