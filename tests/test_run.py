import json

import numpy as np
import pandas as pd
import pytest
import yaml

from lesionbook import datasets, execution, params, paths, run
from lesionbook.errors import LesionbookError

STUDY = {
    "title": "Demo",
    "summary": "Does it run?",
    "dataset": "ham10000",
    "seed": 7,
    "images": {"size": 64},
    "split": {"train": 0.8, "validation": 0.1, "test": 0.1},
    "sample": {"images": 70, "seed": 3},
    "experiments": {name: {"notebook": name} for name in ("explore", "prepare", "net", "compare")},
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    (folder / "params").mkdir(parents=True)
    (folder / "notebooks").mkdir()
    (folder / "params" / "demo.yml").write_text(yaml.safe_dump(STUDY))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def notes(monkeypatch):
    shown = []
    monkeypatch.setattr(run.report, "show_note", lambda text, kind="info": shown.append((kind, text)))
    return shown


@pytest.fixture
def drawings(monkeypatch):
    """What the drawer was asked for; it leaves an empty folder with its mark."""
    asked = []

    class Painter:
        @staticmethod
        def draw(folder, **options):
            folder.mkdir(parents=True)
            (folder / run.MARK).touch()
            asked.append((paths.relative(folder), options))

    monkeypatch.setattr(datasets, "drawer", lambda name: Painter)
    return asked


def settings(profile="laptop"):
    return params.load("demo", profile)


def test_a_notebook_begins_with_its_study_and_its_folder(project, notes):
    begun = run.begin(study="demo", profile="laptop", step="net", output="build/laptop/demo/net")
    assert begun.settings == settings()
    assert begun.output == project / "build/laptop/demo/net" and begun.output.is_dir()
    assert begun.classes == ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
    assert begun.record.name == "ham10000"
    assert begun.folder("prepare") == project / "build/laptop/demo/prepare"
    assert not begun.drawn
    assert notes == []


def test_a_drawn_run_says_so(project, notes):
    assert run.begin(study="demo", profile="sample", step="net", output="build/x").drawn
    assert notes == [("drawn", run.DRAWN.format(subject="skin lesions"))]
    assert "mean nothing clinically" in run.DRAWN


def test_an_unknown_study_leaves_no_folder(project, notes):
    with pytest.raises(LesionbookError, match="No study 'demmo'"):
        run.begin(study="demmo", profile="sample", step="net", output="build/x")
    assert not (project / "build").exists()


def test_the_sample_is_drawn_on_demand_and_once(project, drawings):
    folder = run.data_folder("demo", "sample", settings("sample"))
    assert folder.is_dir() and paths.relative(folder).startswith("build/drawn/ham10000-")
    assert run.data_folder("demo", "sample", settings("sample")) == folder
    [(where, options)] = drawings
    assert where == paths.relative(folder)
    assert (options["images"], options["seed"]) == (70, 3)
    assert options["processes"] >= 1


@pytest.mark.parametrize("sample", [{"images": 71, "seed": 3}, {"images": 70, "seed": 4}])
def test_another_sample_is_drawn_anew(project, drawings, sample):
    first = run.data_folder("demo", "sample", settings("sample"))
    paths.study_file("demo").write_text(yaml.safe_dump(STUDY | {"sample": sample}))
    assert run.data_folder("demo", "sample", settings("sample")) != first
    assert [options["images"] for _, options in drawings] == [70, sample["images"]]
    assert [options["seed"] for _, options in drawings] == [3, sample["seed"]]


def test_a_study_without_sample_settings_still_draws_one(project, drawings):
    paths.study_file("demo").write_text(yaml.safe_dump({key: STUDY[key] for key in STUDY if key != "sample"}))
    run.data_folder("demo", "sample", settings("sample"))
    assert (drawings[0][1]["images"], drawings[0][1]["seed"]) == (480, 0)


@pytest.mark.parametrize("error", [OSError("Directory not empty"), LesionbookError("exists already")])
def test_two_notebooks_may_draw_at_the_same_time(project, monkeypatch, error):
    class Slower:
        """Finds, when it has drawn, that another one was quicker."""

        @staticmethod
        def draw(folder, **options):
            folder.mkdir(parents=True)
            (folder / run.MARK).touch()
            raise error

    monkeypatch.setattr(datasets, "drawer", lambda name: Slower)
    assert run.data_folder("demo", "sample", settings("sample")).is_dir()


def test_a_drawer_that_fails_is_heard(project, monkeypatch):
    class Broken:
        @staticmethod
        def draw(folder, **options):
            raise OSError("disk full")

    monkeypatch.setattr(datasets, "drawer", lambda name: Broken)
    with pytest.raises(OSError, match="disk full"):
        run.data_folder("demo", "sample", settings("sample"))


def test_the_data_folder_is_remembered_for_its_profile(project):
    (project.parent / "images").mkdir()
    (project / "data" / "ham10000").mkdir(parents=True)
    run.remember("demo", "laptop", "../images")
    assert run.data_folder("demo", "laptop", settings()).resolve() == project.parent / "images"
    assert run.data_folder("demo", "paper", settings("paper")) == project / "data" / "ham10000"
    run.remember("demo", "laptop", str(project.parent))
    assert run.data_folder("demo", "laptop", settings()) == project.parent


def test_a_remembered_folder_is_found_from_any_working_directory(project, monkeypatch):
    (project.parent / "images").mkdir()
    run.remember("demo", "laptop", "../images")
    monkeypatch.chdir(project / "notebooks")
    assert run.data_folder("demo", "laptop", settings()).resolve() == project.parent / "images"


def test_missing_images_are_asked_for(project):
    with pytest.raises(LesionbookError) as caught:
        run.data_folder("demo", "laptop", settings())
    assert str(caught.value).startswith("No images at data/ham10000; name the folder by DATA=…, or put there HAM10000_")
    assert str(caught.value).endswith("(make data STUDY=demo downloads them).")
    run.remember("demo", "laptop", "../gone")
    with pytest.raises(LesionbookError, match=r"^No images at \.\./gone; "):
        run.data_folder("demo", "laptop", settings())


def test_the_table_is_that_of_the_data_folder(project, notes):
    images = project.parent / "images"
    for part in ("HAM10000_images_part_1", "HAM10000_images_part_2"):
        (images / part).mkdir(parents=True)
    rows = [f"HAM_{dx},ISIC_{dx},{dx},histo,45.0,male,back" for dx in datasets.adapter("ham10000").RECORD.classes]
    for dx in datasets.adapter("ham10000").RECORD.classes:
        (images / "HAM10000_images_part_1" / f"ISIC_{dx}.jpg").touch()
    (images / "HAM10000_metadata.csv").write_text(
        "\n".join(["lesion_id,image_id,dx,dx_type,age,sex,localization", *rows])
    )
    run.remember("demo", "laptop", str(images))
    begun = run.begin(study="demo", profile="laptop", step="explore", output="build/x")
    assert begun.table["image_id"].tolist() == [f"ISIC_{dx}" for dx in begun.classes]
    assert begun.table is begun.table, "read once"


def test_a_missing_result_has_its_step_run_first(project, notes, monkeypatch):
    asked = []
    monkeypatch.setattr(execution, "execute", lambda *step: asked.append(step))
    begun = run.begin(study="demo", profile="laptop", step="net", output="build/x")
    with pytest.raises(LesionbookError, match=r"prepare/index.csv is missing; run make report PROFILE=laptop"):
        begun.store()
    assert asked == [("demo", "laptop", "prepare")]
    assert "is run first" in notes[-1][1]


def test_the_store_is_that_of_the_preparation(project, notes):
    begun = run.begin(study="demo", profile="laptop", step="net", output="build/x")
    folder = project / "build/laptop/demo/prepare"
    folder.mkdir(parents=True)
    np.save(folder / "images.npy", np.zeros((1, 4, 4, 3), dtype=np.uint8))
    (folder / "index.csv").write_text("image_id,group,label,split\ni1,g1,nv,train\n")
    assert begun.store().rows("train").codes.tolist() == [begun.classes.index("nv")]


def test_results_are_written_the_same_way_every_time(project, notes):
    begun = run.begin(study="demo", profile="laptop", step="net", output="build/x")
    begun.write_json("a.json", {"b": np.float64(0.5), "a": {"é": 1}})
    begun.write_json("b.json", {"a": {"é": 1}, "b": 0.5})
    assert (begun.output / "a.json").read_bytes() == (begun.output / "b.json").read_bytes()
    assert run.read_json(begun.output / "a.json") == {"a": {"é": 1}, "b": 0.5}
    begun.write_csv("a.csv", pd.DataFrame({"x": [1, 2], "y": ["é", None]}), index=False)
    assert (begun.output / "a.csv").read_bytes() == "x,y\n1,é\n2,\n".encode()


def test_text_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "note.txt"
    run.write_text(path, "first\n")
    run.write_text(path, "second\n")
    assert path.read_text() == "second\n"
    with pytest.raises(UnicodeEncodeError):
        run.write_text(path, "half of it \udc80")
    monkeypatch.setattr(type(path), "replace", lambda self, target: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run.write_text(path, "third\n")
    assert path.read_text() == "second\n"
    assert [file.name for file in tmp_path.iterdir()] == ["note.txt"]


def test_json_that_is_written_is_json(project, notes):
    begun = run.begin(study="demo", profile="laptop", step="net", output="build/x")
    begun.write_json("a.json", {"count": np.int64(3), "path": 1.25})
    text = (begun.output / "a.json").read_text()
    assert json.loads(text) == {"count": 3, "path": 1.25}
    assert text.endswith("}\n")


def test_groups_are_called_what_preparation_found_them_to_be(project, notes):
    begun = run.begin(study="demo", profile="laptop", step="net", output="build/laptop/demo/net")
    assert begun.group_name == "lesion"
    prepared = begun.folder("prepare")
    prepared.mkdir(parents=True)
    (prepared / "summary.json").write_text(json.dumps({"group_name": "picture"}))
    assert begun.group_name == "picture"
