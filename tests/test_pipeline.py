import os
import subprocess
import sys

import pytest
import tiny_project

from lesionbook import pipeline


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tiny_project.make(tmp_path / "tiny project")
    monkeypatch.chdir(folder)
    yield folder


# Commands


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "lesionbook.pipeline", *arguments], capture_output=True, text=True, env=dict(os.environ)
    )


def test_a_failing_command_says_one_sentence_and_fails(project):
    done = command("html", "tinny", "laptop", "first")
    assert done.returncode == 1
    assert done.stderr.startswith("error: No study 'tinny'")
    assert done.stderr.count("\n") == 1


def test_the_index_lists_what_there_is(project):
    (project / "reports" / "laptop" / "tiny").mkdir(parents=True)
    (project / "reports" / "laptop" / "tiny" / "first.html").write_text("<p>done</p>")
    pipeline.render_index()
    page = (project / "reports" / "index.html").read_text()
    assert 'href="laptop/tiny/first.html"' in page
    assert 'href="laptop/tiny/second.html"' not in page
    assert "A tiny study" in page
