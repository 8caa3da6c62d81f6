import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from image_files import noise, saved
from made_predictions import made
from PIL import Image

from lesionbook import metrics, predictions, submission
from lesionbook.datasets import pcam
from lesionbook.errors import LesionbookError


def plain(path, red, side=12):
    """An image of one colour, whose red is known."""
    return saved(path, np.full((side, side, 3), (red, 7, 7), dtype=np.uint8))


@pytest.fixture
def table(tmp_path):
    """Twenty images with their redness, in an order of their own."""
    reds = np.random.default_rng(0).permutation(20) * 10
    ids = [f"{red:03d}" for red in reds]
    return pd.DataFrame({"image_id": ids, "path": [plain(tmp_path / "test" / f"{i}.tif", int(i)) for i in ids]})


def redness(images):
    """Two scores that add up to 1; the second is the mean red over 255."""
    share = images[..., 0].mean(axis=(1, 2)) / 255
    return np.stack([1 - share, share], axis=1)


def write(predict, table, path, **options):
    return submission.write(predict, table, path, **{"image_size": 12, "fit": "crop", "batch_size": 3} | options)


@pytest.fixture
def one_core(monkeypatch):
    monkeypatch.setattr(submission.processes, "cores", lambda: 1)


def test_each_image_gets_its_own_probability_in_the_order_of_the_table(table, tmp_path):
    frame = write(redness, table, tmp_path / "out" / "submission.csv")
    lines = (tmp_path / "out" / "submission.csv").read_text().splitlines()
    assert lines[0] == "id,label"
    assert lines[1:] == [f"{name},{int(name) / 255:.6f}" for name in table["image_id"]]
    assert (frame["id"] == table["image_id"]).all()
    assert np.allclose(frame["label"], [int(name) / 255 for name in table["image_id"]], atol=1e-12)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["submission.csv"]


@pytest.mark.usefixtures("one_core")
def test_the_other_class_is_written_where_it_is_the_positive_one(table, tmp_path):
    frame = write(redness, table, tmp_path / "s.csv", positive=0)
    assert np.allclose(frame["label"], [1 - int(name) / 255 for name in table["image_id"]])


@pytest.mark.usefixtures("one_core")
def test_scores_that_need_not_sum_to_one_are_divided_by_their_sum(table, tmp_path):
    frame = write(lambda images: np.tile([0.2, 0.6], (len(images), 1)), table, tmp_path / "s.csv")
    assert np.allclose(frame["label"], 0.75)


@pytest.mark.usefixtures("one_core", "one_thread")
@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_a_keras_model_is_asked_as_it_stands(table, tmp_path):
    inputs = keras.Input((12, 12, 3))
    red = keras.layers.Rescaling(1 / 255)(keras.layers.GlobalAveragePooling2D()(inputs))[:, :1]
    model = keras.Model(inputs, keras.layers.Concatenate()([1 - red, red]))
    frame = write(model, table, tmp_path / "s.csv")
    assert np.allclose(frame["label"], [int(name) / 255 for name in table["image_id"]], atol=1e-6)


@pytest.mark.usefixtures("one_core")
def test_images_are_brought_to_the_size_the_model_was_trained_on(tmp_path):
    tall = np.zeros((40, 20, 3), dtype=np.uint8)
    tall[10:30, :, 0] = 200  # the central square
    table = pd.DataFrame({"image_id": ["a"], "path": [saved(tmp_path / "a.png", tall)]})
    shapes = []

    def predict(images):
        shapes.append((images.shape, images.dtype))
        return redness(images)

    cropped = write(predict, table, tmp_path / "s.csv", image_size=10)
    squashed = write(predict, table, tmp_path / "s.csv", image_size=10, fit="squash")
    assert shapes == [((1, 10, 10, 3), np.uint8)] * 2
    assert cropped["label"][0] == pytest.approx(200 / 255, abs=0.02)
    assert squashed["label"][0] == pytest.approx(100 / 255, abs=0.02)


@pytest.mark.usefixtures("one_core")
def test_no_batch_is_larger_than_asked_or_than_a_piece(tmp_path, monkeypatch):
    paths = [saved(tmp_path / "a.png", noise(8, 8))] * 400
    table = pd.DataFrame({"image_id": range(400), "path": paths})
    sizes, done = [], []

    def predict(images):
        sizes.append(len(images))
        return redness(images)

    def largest(**options):
        sizes.clear()
        write(predict, table, tmp_path / "s.csv", image_size=8, **options)
        assert sum(sizes) == 400
        return max(sizes)

    assert largest(batch_size=5, on_progress=lambda *now: done.append(now)) == 5
    assert done[0] == (5, 400) and done[-1] == (400, 400) and len(done) == len(sizes)
    monkeypatch.setattr(submission, "PIECE", 4 * 3 * 8 * 8 + 1)
    assert largest(batch_size=64) == 4
    monkeypatch.setattr(submission, "PIECE", 1)
    assert largest(batch_size=64) == 1


def test_a_file_that_cannot_be_decoded_stops_it_and_leaves_what_was_there(table, tmp_path):
    path = tmp_path / "out" / "submission.csv"
    path.parent.mkdir()
    path.write_text("as before")
    table["path"].iloc[13].write_bytes(b"II*\0")
    with pytest.raises(LesionbookError, match=rf"^test/{table['image_id'].iloc[13]}\.tif cannot be decoded"):
        write(redness, table, path)
    assert path.read_text() == "as before"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.usefixtures("one_core")
def test_a_file_is_whole_or_as_it_was(table, tmp_path, monkeypatch):
    path = tmp_path / "out" / "submission.csv"
    path.parent.mkdir()
    path.write_text("as before")

    def break_off(self, target, **_):
        Path(target).write_text("id,la")
        raise OSError("no space left")

    monkeypatch.setattr(pd.DataFrame, "to_csv", break_off)
    with pytest.raises(OSError, match="no space left"):
        write(redness, table, path)
    assert path.read_text() == "as before"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ([[0.5, np.nan]], r"^submission: the model gives no probabilities; it may have diverged, train it again\.$"),
        ([[1.5, -0.5]], "gives no probabilities"),
        ([[0.0, 0.0]], "gives no probabilities"),
        ([[1.0]], r"need scores of shape \(3, classes\) with a column 1, not \(3, 1\); pass a classifier"),
        ([0.5], r"with a column 1, not \(3,\)"),
        ([[0.5, 0.5]] * 2, r"with a column 1, not \(6, 2\)"),
    ],
)
def test_what_is_no_probability_is_refused_and_nothing_is_written(table, tmp_path, scores, said):
    with pytest.raises(LesionbookError, match=said):
        write(lambda images: np.concatenate([scores] * len(images)), table.head(3), tmp_path / "s.csv")
    assert not (tmp_path / "s.csv").exists()


def test_an_empty_table_and_a_repeated_id_are_refused(table, tmp_path):
    with pytest.raises(LesionbookError, match=r"^submission: there are no images to predict; check the folder"):
        write(redness, table.head(0), tmp_path / "s.csv")
    table.loc[3, "image_id"] = table.loc[0, "image_id"]
    with pytest.raises(LesionbookError, match=rf"^submission: the image '{table.loc[0, 'image_id']}' stands twice"):
        write(redness, table, tmp_path / "s.csv")


def test_the_unlabelled_folder_of_the_competition_is_what_it_reads(tmp_path):
    for red in (30, 10, 20):
        plain(tmp_path / "pcam" / "test" / f"{red:x}.tif", red, side=96)
    write(redness, pcam.unlabelled(tmp_path / "pcam"), tmp_path / "s.csv", image_size=96)
    assert (tmp_path / "s.csv").read_text() == f"id,label\n14,{20 / 255:.6f}\n1e,{30 / 255:.6f}\na,{10 / 255:.6f}\n"


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    """2,048 images at this size take 600 MB of pixels; what is held at a time is a few batches."""
    Image.fromarray(noise(320, 320)).save(tmp_path / "a.bmp")
    script = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        import numpy as np, pandas as pd
        from lesionbook import processes, submission

        if __name__ == "__main__":
            processes.cores = lambda: 2
            folder, number = Path(sys.argv[1]), int(sys.argv[2])
            table = pd.DataFrame({"image_id": range(number), "path": [folder / "a.bmp"] * number})
            submission.write(
                lambda images: np.full((len(images), 2), 0.5), table, folder / "s.csv",
                image_size=320, fit="crop", batch_size=16,
            )
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    """)
    (tmp_path / "run.py").write_text(script)

    def peak(number):
        command = [sys.executable, str(tmp_path / "run.py"), str(tmp_path), str(number)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout)

    few, many = peak(256), peak(2048)
    assert many < few + 60, f"{few} MB for 256 images, {many} MB for 2,048"


def test_the_unlabelled_images_are_those_the_data_set_keeps_apart(tmp_path):
    plain(tmp_path / "test" / "a.tif", 9)
    assert submission.unlabelled("pcam", tmp_path)["image_id"].tolist() == ["a"]


def test_a_folder_and_a_data_set_without_unlabelled_images_are_refused(tmp_path):
    plain(tmp_path / "train" / "a.tif", 9)
    with pytest.raises(LesionbookError, match=r"no \.tif file in a folder test; PatchCamelyon holds"):
        submission.unlabelled("pcam", tmp_path)
    with pytest.raises(LesionbookError) as caught:
        submission.unlabelled("ham10000", tmp_path)
    assert str(caught.value) == (
        "submission: HAM10000 has no images without labels that a competition asks for; take the experiment out of the "
        "study file."
    )


def test_cut_probabilities_are_the_answers_and_their_area_is_the_balanced_accuracy():
    frame = made(n=200, classes=["normal", "metastasis"], seed=4)
    answers = submission.cut(frame)
    assert answers[predictions.KEYS].equals(frame[predictions.KEYS])
    assert answers["p_metastasis"].tolist() == (frame["p_metastasis"] > 0.5).astype(float).tolist()
    assert (answers["p_normal"] == 1 - answers["p_metastasis"]).all()
    scores, whole = metrics.scores(answers), metrics.scores(frame)
    assert scores["macro_auc"] == pytest.approx(whole["balanced_accuracy"])
    assert scores["macro_auc"] < whole["macro_auc"] - 0.02


def test_a_class_that_is_never_answered_keeps_its_column():
    frame = made(n=20, classes=["normal", "metastasis"]).assign(p_normal=0.9, p_metastasis=0.1)
    assert submission.cut(frame)["p_metastasis"].tolist() == [0.0] * 20
