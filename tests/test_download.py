import hashlib
import types

import pandas as pd
import pytest
from tiny_datasets import pcam_hdf5

from lesionbook import download
from lesionbook.datasets import ham10000, isic2019, pcam
from lesionbook.datasets.listing import Listing
from lesionbook.errors import LesionbookError


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("params", "notebooks"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    use("ham10000", monkeypatch)
    return tmp_path


def use(dataset, monkeypatch):
    monkeypatch.setattr(download.params, "load", lambda study, profile: types.SimpleNamespace(dataset=dataset))


def holding(counts, monkeypatch, adapter=ham10000, absent=0):
    labels = [name for name, count in counts.items() for _ in range(count)]
    monkeypatch.setattr(adapter, "read", lambda folder: Listing(pd.DataFrame({"label": labels}), [], absent))


def fetched(monkeypatch, act, kind="dataset"):
    import kagglehub

    monkeypatch.setattr(kagglehub, f"{kind}_download", act)


def test_a_complete_set_is_moved_into_place(project, monkeypatch):
    def act(handle, output_dir):
        assert handle == "kmader/skin-cancer-mnist-ham10000"
        return output_dir

    fetched(monkeypatch, act)
    holding(ham10000.RECORD.counts, monkeypatch)
    assert download.download("any") == project / "data" / "ham10000"
    assert [path.name for path in (project / "data").iterdir()] == ["ham10000"]


def test_a_competition_is_fetched_as_one(project, monkeypatch):
    def act(handle, output_dir):
        assert handle == "histopathologic-cancer-detection"
        return output_dir

    use("pcam", monkeypatch)
    fetched(monkeypatch, act, kind="competition")
    fetched(monkeypatch, lambda handle, output_dir: pytest.fail("fetched as a data set"))
    holding(pcam.RECORD.counts, monkeypatch, adapter=pcam)
    assert download.download("any") == project / "data" / "pcam"


@pytest.mark.parametrize(
    ("dataset", "kind", "said"),
    [
        (
            "ham10000",
            "dataset",
            "fetch kmader/skin-cancer-mnist-ham10000 from Kaggle by hand, or see https://doi.org/10.7",
        ),
        (
            "isic2019",
            "dataset",
            f"or see https://challenge.isic-archive.com/data/#2019, and put into data/isic2019: {isic2019.LABELS}, ",
        ),
        ("pcam", "competition", "by hand after accepting the rules of the competition there, or see "),
    ],
)
def test_without_a_network_it_says_what_to_put_where(project, monkeypatch, dataset, kind, said):
    def act(handle, output_dir):
        raise OSError("no route")

    use(dataset, monkeypatch)
    fetched(monkeypatch, act, kind)
    with pytest.raises(
        LesionbookError, match=rf"could not be downloaded \(no route\).*put into data/{dataset}: "
    ) as caught:
        download.download("any")
    assert said in str(caught.value)
    assert list((project / "data").iterdir()) == []


def test_what_cannot_be_downloaded_is_said_at_once(project, monkeypatch):
    use("image_folder", monkeypatch)
    fetched(monkeypatch, lambda handle, output_dir: pytest.fail("fetched"))
    with pytest.raises(
        LesionbookError,
        match=r"nothing to download for images of one's own; put into data/image_folder, or into a folder named by",
    ):
        download.download("any")
    assert not (project / "data").exists()


def test_an_incomplete_set_is_refused_and_not_kept(project, monkeypatch):
    fetched(monkeypatch, lambda handle, output_dir: output_dir)
    holding(ham10000.RECORD.counts | {"mel": 1112}, monkeypatch)
    with pytest.raises(LesionbookError, match="1112 images of class mel, but HAM10000 has 1113"):
        download.download("any")
    assert list((project / "data").iterdir()) == []


def test_labels_alone_do_not_make_a_set_complete(project, monkeypatch):
    fetched(monkeypatch, lambda handle, output_dir: output_dir)
    holding(ham10000.RECORD.counts, monkeypatch, absent=3)
    with pytest.raises(LesionbookError, match="3 of 10015 images are missing; delete the folder"):
        download.download("any")


def test_a_set_that_is_there_is_checked_and_not_fetched(project, monkeypatch):
    (project / "data" / "ham10000").mkdir(parents=True)
    fetched(monkeypatch, lambda handle, output_dir: pytest.fail("fetched again"))
    holding(ham10000.RECORD.counts, monkeypatch)
    assert download.download("any") == project / "data" / "ham10000"


def test_files_of_known_checksum_are_compared_with_it(project, monkeypatch):
    folder = pcam_hdf5(project / "data" / "pcam", {"train": 2, "valid": 2, "test": 2})
    use("pcam", monkeypatch)
    with pytest.raises(
        LesionbookError, match=r"data/pcam: \S+_train_x\.h5 is not the published file; download it from "
    ):
        download.download("any")
    sums = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    for name, value in sums.items():
        monkeypatch.setitem(pcam.RECORD.checksums, name, value)
    assert download.download("any") == folder
    (folder / pcam.SLIDES.format("test")).unlink()
    with pytest.raises(
        LesionbookError, match=r"data/pcam: camelyonpatch_level_2_split_test_meta\.csv is missing; downl"
    ):
        download.download("any")
