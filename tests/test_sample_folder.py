"""Tests of `lesionbook.sample.folder`."""

from functools import partial
from pathlib import Path

import cv2
import pytest

from lesionbook.errors import LesionbookError
from lesionbook.sample import folder


def write(number: int, *, where: Path) -> None:
    (where / f"{number}.txt").write_text(f"{1 / number:.3f} {cv2.getNumThreads()}")


@pytest.mark.parametrize("processes", [1, 2])
def test_each_item_is_written_with_one_thread_of_opencv(tmp_path: Path, processes: int) -> None:
    threads = cv2.getNumThreads()
    folder.each(partial(write, where=tmp_path), range(1, 6), processes=processes, chunk=2)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        f"{number}.txt": f"{1 / number:.3f} 1" for number in range(1, 6)
    }
    assert cv2.getNumThreads() == threads


@pytest.mark.parametrize("processes", [1, 2])
def test_failure_midway_leaves_nothing(tmp_path: Path, processes: int) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        folder.complete(tmp_path / "data" / "drawn", layout="HAM10000", seed=3) as building,
    ):
        folder.each(partial(write, where=building), [2, 1, 0, 3], processes=processes, chunk=1)
    assert list((tmp_path / "data").iterdir()) == []


def test_folder_appears_when_complete_and_can_be_read_by_others(tmp_path: Path) -> None:
    place = tmp_path / "data" / "drawn"
    with folder.complete(place, layout="HAM10000", seed=3) as building:
        write(1, where=building)
        assert not place.exists()
    assert sorted(path.name for path in place.iterdir()) == ["1.txt", "DRAWN.txt"]
    assert (place / "DRAWN.txt").read_text() == (
        "The images and metadata in this folder are drawn by a program (seed 3); they show no patient, "
        "mean nothing clinically, and only follow the file layout of HAM10000.\n"
    )
    assert place.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in place.parent.iterdir()] == ["drawn"]


def test_an_empty_folder_is_taken_and_a_full_one_left_alone(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with folder.complete(tmp_path / "empty", layout="HAM10000", seed=3):
        pass
    with pytest.raises(LesionbookError, match="exists already"), folder.complete(tmp_path, layout="HAM10000", seed=3):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_numbers_out_of_range_are_named() -> None:
    folder.check(images=(42, 42), seed=(0, 0))
    with pytest.raises(LesionbookError, match="seed is -1; give a whole number of at least 0"):
        folder.check(images=(42, 42), seed=(-1, 0))
