import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import psutil
import pytest
from image_files import many, noise, saved

from lesionbook import decoding, near_duplicates, processes, storing
from lesionbook.errors import LesionbookError

COLUMNS = ["image_id", "width", "height", "mode", "format", "rotated", "content", "perceptual", "problem"]


class Progress(list):
    def __call__(self, done, total):
        self.append((done, total))


@pytest.fixture(autouse=True)
def cores(monkeypatch):
    """Everything in this process, which is quicker for a few images, unless a test asks for more cores."""
    monkeypatch.setattr(processes, "cores", lambda: 1)
    return lambda number: monkeypatch.setattr(processes, "cores", lambda: number)


@pytest.fixture
def table(tmp_path):
    return many(tmp_path / "data", 40)


def broken(table, *rows):
    for row in rows:
        table["path"].iloc[row].write_bytes(b"broken")


def left(path):
    return sorted(file.name for file in path.parent.iterdir())


def built(table, path, **options):
    """Bytes of a store, and its table of files."""
    files = storing.build(table, path, size=4, fit="crop", **options)
    return path.read_bytes(), files


def test_the_store_follows_the_table(tmp_path, table):
    shuffled = table.sample(frac=1, random_state=1)
    progress = Progress()
    path = tmp_path / "new" / "images.npy"
    files = storing.build(shuffled, path, size=3, fit="crop", on_progress=progress)
    assert files.columns.tolist() == COLUMNS
    assert files["image_id"].tolist() == shuffled["image_id"].tolist()
    assert progress == [(8, 40), (16, 40), (24, 40), (32, 40), (40, 40)]
    mapped = np.load(path, mmap_mode="r")
    assert isinstance(mapped, np.memmap) and mapped.dtype == np.uint8
    assert mapped.shape == (40, 3, 3, 3)
    assert mapped[:, 1, 1, 0].tolist() == [int(name[1:]) for name in shuffled["image_id"]]
    assert (mapped == decoding.decode_many(shuffled["path"], 3, "crop")).all()
    assert left(path) == ["images.npy"]


def test_the_table_of_files_says_what_decoding_found(tmp_path):
    pixels = noise(70, 50)
    paths = [saved(tmp_path / "a.png", pixels), saved(tmp_path / "b.bmp", pixels, "L")]
    table = pd.DataFrame({"image_id": ["a", "b"], "path": paths})
    files = storing.build(table, tmp_path / "images.npy", size=40, fit="squash")
    for row, path in zip(files.to_dict("records"), paths, strict=True):
        facts = decoding.decode(path, 40, "squash")[1]
        assert {name: row[name] for name in facts} == facts
    assert files["mode"].tolist() == ["RGB", "L"] and files["format"].tolist() == ["PNG", "BMP"]
    assert files["problem"].tolist() == ["", ""]
    expected = near_duplicates.perceptual_hash(np.load(tmp_path / "images.npy"))
    assert (storing.hashes(files["perceptual"]) == expected).all() and len(np.unique(expected)) > 1
    assert storing.hashes(files["perceptual"]).dtype == np.uint64


def test_the_same_images_give_the_same_bytes_whatever_the_cores(tmp_path, table, cores):
    first, files = built(table, tmp_path / "a.npy")
    cores(3)
    second, files_again = built(table, tmp_path / "b.npy")
    assert first == second
    pd.testing.assert_frame_equal(files, files_again)


# ---- bad files -------------------------------------------------------------------------------------------------------


def test_bad_files_are_set_aside_up_to_a_number(tmp_path, table):
    broken(table, 4, 30)
    table["path"].iloc[11].unlink()
    path = tmp_path / "store" / "images.npy"
    _, files = built(table, path, set_aside=3)
    bad = files["problem"] != ""
    assert np.flatnonzero(bad).tolist() == [4, 11, 30] and len(files) == 40
    assert files.loc[11, "problem"].startswith("data/i0011.png cannot be decoded (it is missing); ")
    assert files.loc[bad, COLUMNS[1:-1]].isna().all(axis=None) and files[~bad].notna().all(axis=None)
    assert np.load(path)[:, 0, 0, 0].tolist() == [k for k in range(40) if k not in (4, 11, 30)]
    with pytest.raises(
        LesionbookError, match=r"^More than the 2 files that may be set aside .* is data/i0030\.png cannot"
    ):
        built(table, path, set_aside=2)
    with pytest.raises(
        LesionbookError,
        match=r"^data/i0004\.png cannot be decoded \(it is no JPEG, .*; replace the file\. A study file",
    ):
        built(table, path)


def test_nothing_but_bad_files_is_no_store(tmp_path, table):
    broken(table, *range(40))
    with pytest.raises(
        LesionbookError, match=r"^None of the 40 images can be used; the first: data/i0000\.png cannot be"
    ):
        built(table, tmp_path / "images.npy", set_aside=99)
    with pytest.raises(LesionbookError, match=r"^There are no images to prepare; check the data folder\.$"):
        built(table.iloc[:0], tmp_path / "images.npy")


def test_a_stop_leaves_the_old_store_and_the_work_done(tmp_path, table):
    path = tmp_path / "store" / "images.npy"
    before, _ = built(table.iloc[:9], path)
    whole, files = built(table, tmp_path / "images.npy")
    content = table["path"].iloc[20].read_bytes()
    broken(table, 20)
    with pytest.raises(LesionbookError, match=r"/i0020\.png cannot be decoded"):
        built(table, path)
    assert path.read_bytes() == before
    assert left(path) == ["images.journal", "images.npy", "images.part"]
    table["path"].iloc[20].write_bytes(content)
    progress = Progress()
    after, files_after = built(table, path, on_progress=progress)
    assert progress == [(16, 40), (24, 40), (32, 40), (40, 40)]
    assert after == whole and left(path) == ["images.npy"]
    pd.testing.assert_frame_equal(files, files_after)


# ---- interrupted runs ------------------------------------------------------------------------------------------------


class StopError(Exception):
    pass


def interrupted(table, path, after=24, **options):
    """Leave a run that ended when so many rows were done."""

    def stop(done, _):
        if done >= after:
            raise StopError

    with pytest.raises(StopError):
        storing.build(table, path, **{"size": 4, "fit": "crop"} | options, on_progress=stop)
    assert left(path) == ["images.journal", "images.part"]


def resumed(table, path):
    """Rows that did not have to be done again; the bytes must be those of a run without interruption."""
    progress = Progress()
    after, files = built(table, path, on_progress=progress)
    expected, files_expected = built(table, path.with_name("expected.npy"))
    assert after == expected
    pd.testing.assert_frame_equal(files, files_expected)
    assert progress[-1] == (len(table), len(table))
    steps = np.diff([0, *(done for done, _ in progress)])
    return int(steps[0]) if steps[0] > 8 or len(progress) < 5 else 0


def test_an_interrupted_run_is_taken_up(tmp_path, table):
    path = tmp_path / "store" / "images.npy"
    interrupted(table, path)
    assert resumed(table, path) == 24


def test_damage_behind_the_last_whole_piece_is_cut_off(tmp_path, table):
    path = tmp_path / "store" / "images.npy"
    interrupted(table, path)
    with path.with_suffix(".journal").open("ab") as journal, path.with_suffix(".part").open("ab") as part:
        journal.write(b'{"stamp": "half a li')
        part.write(b"\1" * 77)
    assert resumed(table, path) == 24


@pytest.mark.parametrize(("ending", "share"), [("part", 0.75), ("journal", 0.8)])
def test_what_was_lost_or_changed_on_disk_is_done_again(tmp_path, table, ending, share):
    path = tmp_path / "store" / "images.npy"
    for damage in ("cut", "changed"):
        interrupted(table, path)
        file = path.with_suffix(f".{ending}")
        content = bytearray(file.read_bytes())
        place = int(share * len(content))
        if damage == "cut":
            del content[place:]
        else:
            content[place] ^= 1
        file.write_bytes(content)
        assert resumed(table, path) == 16, damage
        path.unlink()
        path.with_name("expected.npy").unlink()


def test_a_lost_part_or_journal_means_beginning_again(tmp_path, table):
    path = tmp_path / "store" / "images.npy"
    for ending in (".part", ".journal"):
        interrupted(table, path)
        path.with_suffix(ending).unlink()
        assert resumed(table, path) == 0
        path.unlink()
        path.with_name("expected.npy").unlink()


def test_pieces_with_changed_files_are_done_again(tmp_path, table):
    path = tmp_path / "store" / "images.npy"
    interrupted(table, path)
    saved(table["path"].iloc[18], np.full((6, 6, 3), 99, dtype=np.uint8))
    assert resumed(table, path) == 16


def test_remnants_of_another_job_are_thrown_away(tmp_path, table):
    path = tmp_path / "store" / "images.npy"
    for options in ({"size": 5}, {"fit": "squash"}):
        interrupted(table, path, **options)
        assert resumed(table, path) == 0
        path.unlink()
        path.with_name("expected.npy").unlink()
    interrupted(table.iloc[::-1], path)
    assert resumed(table, path) == 0


def test_a_run_killed_in_the_middle_goes_on_and_leaves_no_process_behind(tmp_path):
    table = many(tmp_path / "data", 400)
    table.to_csv(tmp_path / "table.csv", index=False)
    path = tmp_path / "store" / "images.npy"
    program = f"""
        import pandas as pd, time
        from pathlib import Path
        from lesionbook import processes, storing
        processes.cores = lambda: 2
        def progress(done, total):
            print(done, flush=True)
            time.sleep(0.02)
        table = pd.read_csv({str(tmp_path / "table.csv")!r}, dtype=str)
        storing.build(table, Path({str(path)!r}), size=4, fit="crop", on_progress=progress)
    """
    run = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    done = 0
    while done < 150:
        done = int(run.stdout.readline())
    helpers = psutil.Process(run.pid).children(recursive=True)
    assert len(helpers) >= 2
    run.kill()
    run.wait()
    run.stdout.close()
    assert left(path) == ["images.journal", "images.part"]
    kept = resumed(table, path)
    assert done <= kept < 400
    assert not psutil.wait_procs(helpers, timeout=10)[1]


def test_memory_does_not_grow_with_the_store(tmp_path):
    """3,000 images of 224 pixels are 450 MB in the store."""
    path = saved(tmp_path / "a.png", noise(300, 225))
    program = f"""
        import pandas as pd, psutil
        from pathlib import Path
        from lesionbook import storing
        here, sizes = psutil.Process(), []
        def look(*_):
            processes = [here, *here.children(recursive=True)]
            sizes.append([process.memory_info().rss // 2**20 for process in processes])
        table = pd.DataFrame({{"image_id": [str(k) for k in range(3000)], "path": {str(path)!r}}})
        look()
        storing.build(table, Path({str(tmp_path / "images.npy")!r}), size=224, fit="crop", on_progress=look)
        print(sizes[0][0], max(size[0] for size in sizes), max(max(size[1:], default=0) for size in sizes), len(sizes))
    """
    outcome = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    before, after, helper, looks = map(int, outcome.stdout.split())
    assert (tmp_path / "images.npy").stat().st_size > 450e6 and looks > 40
    assert after - before < 120, "megabytes"
    assert helper < 300
    (tmp_path / "images.npy").unlink()
