import os
import subprocess
import sys

import pytest
import tiny_project
from bs4 import BeautifulSoup

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


def test_times_stand_beside_the_index(project):
    for name, text in {
        "reports/laptop/tiny/first.html": "<p>done</p>",
        "build/laptop/tiny/first/seconds.txt": "61.2\n",
        "build/laptop/tiny/first/times.csv": "position,seed,epoch,seconds,setting\n"
        "1,3,1,9.0,rate 2\n1,3,2,4.0,rate 2\n1,4,2,6.0,rate 2\n1,4,3,,rate 2\n0,3,1,8.0,rate 1\n0,3,2,3.0,rate 1\n",
    }.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    pipeline.render_index()
    soup = BeautifulSoup((project / "reports" / "times.html").read_text(), "html.parser")
    whole, epochs = soup.find_all("table")
    assert [cell.text for cell in whole.select("tbody .number")] == ["61 s", "61 s"]
    # The median without the first epoch of each training, in which the network is built.
    rows = [[row.find("th").text, row.select_one(".number").text] for row in epochs.select("tbody tr")]
    assert rows == [["rate 2", "5 s"], ["rate 1", "3 s"]]
