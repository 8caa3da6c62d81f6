import numpy as np
import pandas as pd
import pytest
from hostile_files import encoded, hostile
from image_files import noise, saved

from lesionbook import predictions, processes
from lesionbook.errors import LesionbookError
from lesionbook.serve import folder
from lesionbook.serve.limits import Limits


@pytest.fixture(autouse=True)
def one_core(monkeypatch):
    monkeypatch.setattr(processes, "cores", lambda: 1)


def test_the_files_of_the_test_images_get_the_numbers_of_the_prediction_file(served, monkeypatch):
    test = served.model.test
    paths = served.model.run.table.set_index("image_id")["path"].loc[test["image_id"]]
    steps = []
    table = folder.predict(served, paths, on_progress=lambda *now: steps.append(now))
    columns = [predictions.PREFIX + name for name in served.model.run.classes]
    assert (table[columns].to_numpy() == test[columns].to_numpy()).all()
    assert table["file"].tolist() == test["image_id"].tolist()
    assert table["class"].tolist() == predictions.predicted(test).tolist()
    assert (table["problem"] == "").all()
    assert steps[-1] == (len(test), len(test))


def test_files_are_listed_below_the_folder_and_hidden_ones_left_out(tmp_path):
    for name in ("b/2.png", "b/1.png", "a.png", ".hidden/x.png", ".DS_Store", "b/.x"):
        saved(tmp_path / name, noise(4, 4), format="PNG")
    found = folder.files(tmp_path)
    assert list(found.index) == ["a.png", "b/1.png", "b/2.png"]
    assert found["b/1.png"] == tmp_path / "b" / "1.png"


@pytest.mark.parametrize(("name", "said"), [("nothing", "is no folder"), ("empty", "holds no file")])
def test_a_folder_without_files_is_refused(tmp_path, name, said):
    (tmp_path / "empty").mkdir()
    with pytest.raises(LesionbookError, match=said):
        folder.files(tmp_path / name)


def test_bad_files_are_named_and_stop_nothing(served, tmp_path, monkeypatch):
    monkeypatch.setattr(served, "limits", Limits(file_bytes=20_000, pixels=10_000))
    saved(tmp_path / "good.png", noise())
    (tmp_path / "bad.png").write_bytes(hostile()["cut png"])
    (tmp_path / "bomb.png").write_bytes(hostile()["billions of pixels"])
    (tmp_path / "large.png").write_bytes(encoded(noise(90, 90), "PNG"))
    (tmp_path / "link.png").symlink_to(tmp_path / "gone")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    paths = pd.Series({path.name: path for path in sorted(tmp_path.iterdir())})
    table = folder.predict(served, paths).set_index("file")
    assert table["problem"].ne("").sum() == 5
    assert np.isfinite(table.loc["good.png", "confidence"])
    assert table.loc["bad.png", "problem"].endswith("it is damaged or cut off); replace the file.")
    assert "the limit is 10,000 in all" in table.loc["bomb.png", "problem"]
    assert "bytes, the limit is 20,000" in table.loc["large.png", "problem"]
    assert table.loc[table["problem"] != "", "class"].isna().all()
    assert not table["problem"].str.contains(str(tmp_path), regex=False).any()


def test_where_no_file_can_be_used_there_are_only_problems(served, tmp_path):
    (tmp_path / "a.png").touch()
    table = folder.predict(served, folder.files(tmp_path))
    assert table["problem"].tolist() == [
        f"{tmp_path.name}/a.png cannot be decoded (it has zero bytes); replace the file."
    ]
