import os
import tempfile
import time

import pytest

from lesionbook.serve.temporary import Temporary


@pytest.fixture
def temporary(monkeypatch, tmp_path):  # tmp_path first, or it would lie in the folder
    monkeypatch.setenv("GRADIO_TEMP_DIR", "before")
    with Temporary(age=0.05, pause=0.02) as made:
        yield made


def test_it_is_where_everything_goes_and_it_is_gone_afterwards(monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", "before")
    before = tempfile.gettempdir()
    with Temporary() as temporary:
        assert os.environ["GRADIO_TEMP_DIR"] == tempfile.gettempdir() == str(temporary.folder)
        (temporary.folder / "a" / "b").mkdir(parents=True)
        (temporary.folder / "a" / "b" / "c.png").touch()
    assert not temporary.folder.exists()
    assert tempfile.gettempdir() == before


def test_a_file_that_was_answered_goes_at_once_but_none_from_elsewhere(temporary, tmp_path):
    for folder in (temporary.folder / "abc", tmp_path):
        folder.mkdir(exist_ok=True)
        (folder / "a.png").touch()
        temporary.forget(folder / "a.png")
    assert not (temporary.folder / "abc" / "a.png").exists()
    assert (tmp_path / "a.png").exists()
    (temporary.folder / "out").symlink_to(tmp_path)
    temporary.forget(temporary.folder / "out" / "a.png")
    assert (tmp_path / "a.png").exists()


def test_its_folder_goes_with_it_unless_something_else_lies_there(temporary):
    alone, shared = temporary.folder / "abc" / "a.png", temporary.folder / "def" / "a.png"
    for path in (alone, shared, shared.with_name("b.png"), temporary.folder / "c.png"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    temporary.keep()
    temporary._kept -= {alone, shared, temporary.folder / "c.png"}
    for path in (alone, shared, temporary.folder / "c.png"):
        temporary.forget(path)
    assert not alone.parent.exists() and shared.with_name("b.png").exists() and temporary.folder.exists()


def test_what_is_left_behind_goes_by_itself_but_not_the_pages_own(temporary):
    own, left = temporary.folder / "own.webp", temporary.folder / "left.part"
    own.touch()
    temporary.keep()
    left.touch()
    until = time.monotonic() + 5
    while left.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not left.exists() and own.exists()
    temporary.forget(own)
    assert own.exists()
