import types

import pandas as pd
import pytest

from lesionbook import download
from lesionbook.datasets import ham10000
from lesionbook.errors import LesionbookError


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("params", "notebooks"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        download.params, "load", lambda study, profile: types.SimpleNamespace(dataset="ham10000"), raising=True
    )
    return tmp_path


def holding(counts, monkeypatch):
    labels = [name for name, count in counts.items() for _ in range(count)]
    monkeypatch.setattr(ham10000, "read", lambda folder: pd.DataFrame({"label": labels}))


def fetched(monkeypatch, act):
    import kagglehub

    monkeypatch.setattr(kagglehub, "dataset_download", act)


def test_a_complete_set_is_moved_into_place(project, monkeypatch):
    def act(handle, output_dir):
        assert handle == "kmader/skin-cancer-mnist-ham10000"
        return output_dir

    fetched(monkeypatch, act)
    holding(ham10000.RECORD.counts, monkeypatch)
    assert download.download("any") == project / "data" / "ham10000"
    assert [path.name for path in (project / "data").iterdir()] == ["ham10000"]


def test_without_a_network_it_says_what_to_put_where(project, monkeypatch):
    def act(handle, output_dir):
        raise OSError("no route")

    fetched(monkeypatch, act)
    with pytest.raises(
        LesionbookError, match=r"could not be downloaded \(no route\).*put into data/ham10000: HAM10000_m"
    ):
        download.download("any")
    assert list((project / "data").iterdir()) == []


def test_an_incomplete_set_is_refused_and_not_kept(project, monkeypatch):
    fetched(monkeypatch, lambda handle, output_dir: output_dir)
    holding(ham10000.RECORD.counts | {"mel": 1112}, monkeypatch)
    with pytest.raises(LesionbookError, match="1112 images of class mel, but HAM10000 has 1113"):
        download.download("any")
    assert list((project / "data").iterdir()) == []


def test_a_set_that_is_there_is_checked_and_not_fetched(project, monkeypatch):
    (project / "data" / "ham10000").mkdir(parents=True)
    fetched(monkeypatch, lambda handle, output_dir: pytest.fail("fetched again"))
    holding(ham10000.RECORD.counts, monkeypatch)
    assert download.download("any") == project / "data" / "ham10000"
