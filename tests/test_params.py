import copy
import json

import nbformat
import pytest
import yaml

from lesionbook import params, paths
from lesionbook import schema as schemas
from lesionbook.errors import LesionbookError
from lesionbook.recipes import Knobs, Recipe

FILE = "params/demo.yml"
STUDY = {
    "title": "Demo",
    "summary": "Does it load?",
    "dataset": "ham10000",
    "seed": 7,
    "images": {"size": 64, "fit": "squash"},
    "split": {"train": 0.8, "validation": 0.1, "test": 0.1},
    "experiments": {
        "explore": {"notebook": "look"},
        "prepare": {"notebook": "look"},
        "net": {
            "notebook": "model",
            "threads": 2,
            "parameters": {"mistakes": 5, "widths": [8, 16], "augmentation": {"zoom": 0.1, "rotation_degrees": 20}},
        },
        "compare": {"notebook": "look"},
    },
    "profiles": {
        "sample": {"images": {"size": 32}, "experiments": {"net": {"parameters": {"mistakes": 1}}}},
        "laptop": {"experiments": {"net": {"parameters": {"widths": [4]}}}},
        "paper": None,
    },
}
COMMON_CELL = "study = 'demo'\nprofile = 'sample'\nstep = 's'\noutput = 'build/by-hand'\nseed = 1\nthreads = 1\n"
MODEL_CELL = COMMON_CELL + "mistakes = 10\nwidths = (8,)\naugmentation = {}\nlearning_rate = 0.001\nviews = 1\n"


def changed(place, value):
    """The demo study with the value at a dotted place replaced, added, or (value ...) taken away."""
    study = copy.deepcopy(STUDY)
    *above, last = place.split(".")
    inner = study
    for key in above:
        inner = inner.setdefault(key, {})
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return study


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "params").mkdir()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    write_notebook("look", COMMON_CELL)
    write_notebook("model", MODEL_CELL)
    write(STUDY)
    return tmp_path


def write(study):
    paths.study_file("demo").write_text(study if isinstance(study, str) else yaml.safe_dump(study, sort_keys=False))


def write_notebook(name, *sources, tags=("parameters",)):
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}) for source in sources]
    cells.append(nbformat.v4.new_code_cell("mistaeks = 3"))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), paths.notebook(name))
    params.defaults.cache_clear()


def refusal(function=params.load, study="demo", profile="sample"):
    """The one sentence with which a study is refused."""
    with pytest.raises(LesionbookError) as caught:
        function(study, profile)
    text = str(caught.value)
    assert "\n" not in text and ".." not in text and "?." not in text and text.endswith(".")
    return text


def test_profile_changes_only_what_it_names(project):
    sample, laptop, paper = (params.load("demo", profile) for profile in params.PROFILES)
    assert [study.images.size for study in (sample, laptop, paper)] == [32, 64, 64]
    assert {study.images.fit for study in (sample, laptop, paper)} == {"squash"}
    knobs = [study.experiments["net"].parameters for study in (sample, laptop, paper)]
    assert [(one.mistakes, one.widths, one.augmentation.zoom) for one in knobs] == [
        (1, (8, 16), 0.1),
        (5, (4,), 0.1),
        (5, (8, 16), 0.1),
    ]
    assert sample.models == ["net"]
    assert list(sample.experiments) == ["explore", "prepare", "net", "compare"]


def test_a_loaded_study_cannot_be_changed(project):
    study = params.load("demo", "sample")
    with pytest.raises(ValueError, match="frozen"):
        study.seed = 3


def test_unknown_study_and_profile(project):
    assert refusal(study="dmeo") == "No study 'dmeo' in params/ (did you mean 'demo'?); there is demo."
    assert refusal(study="x") == "No study 'x' in params/; there is demo."
    assert refusal(profile="labtop") == (
        "No profile 'labtop' (did you mean 'laptop'?); there is sample, laptop, paper."
    )


@pytest.mark.parametrize("beside", [True, False], ids=["beside the right one", "instead of the right one"])
@pytest.mark.parametrize(
    ("place", "mistyped"),
    [
        ("title", "titel"),
        ("experiments", "expriments"),
        ("profiles", "profile"),
        ("images.size", "sise"),
        ("split.train", "trian"),
        ("sample.images", "image"),
        ("experiments.net.notebook", "notebok"),
        ("experiments.net.parameters.mistakes", "mistaeks"),
        ("experiments.net.parameters.augmentation.rotation_degrees", "rotation_degres"),
    ],
)
def test_a_mistyped_key_is_named_with_what_was_meant(project, place, mistyped, beside):
    """The key that it leaves missing is not what is complained about."""
    *above, meant = place.split(".")
    study = copy.deepcopy(STUDY | {"sample": {"images": 100}})
    inner = study
    for key in above:
        inner = inner[key]
    inner[mistyped] = inner[meant] if beside else inner.pop(meant)
    write(study)
    wrong = ".".join([*above, mistyped])
    assert refusal().startswith(f"{FILE}, profile sample: {wrong} is no key of a study file (did you mean {meant!r}?).")


def test_a_key_like_no_other_is_refused_without_a_guess(project):
    write(changed("images.zzzz", 1))
    assert refusal() == f"{FILE}, profile sample: images.zzzz is no key of a study file."


def test_a_mistyped_key_in_another_profile_is_found_too(project):
    write(changed("profiles.laptop.imagse", {"size": 64}))
    assert refusal(profile="sample") == (
        f"{FILE}, profile laptop: imagse is no key of a study file (did you mean 'images'?)."
    )


def test_mistyped_profile_and_experiment_of_a_profile(project):
    write(changed("profiles.labtop", {}))
    assert refusal() == f"{FILE}: profiles.labtop is no profile (did you mean 'laptop'?)."
    write(changed("profiles.laptop.experiments", {"nett": {}}))
    assert refusal() == f"{FILE}: profiles.laptop.experiments.nett: no such experiment (did you mean 'net'?)."


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        ("title", ..., "title: field required"),
        ("images.size", 8, "images.size: input should be greater than or equal to 16 (given: 8)"),
        ("images.size", "big", "images.size: input should be a valid integer (given: 'big')"),
        ("images.size", True, "images.size: input should be a valid integer (given: True)"),
        ("images.fit", "stretch", "images.fit: input should be 'crop' or 'squash' (given: 'stretch')"),
        ("images", 64, "images: must hold keys with values (given: 64)"),
        ("seed", -1, "seed: input should be greater than or equal to 0 (given: -1)"),
        (
            "dataset",
            "ham",
            "dataset: input should be 'ham10000', 'isic2017', 'isic2019', 'pcam' or 'image_folder'",
        ),
        ("split.given", True, "split: give train, validation and test, or validation_per_class and"),
        (
            "split.test_per_class",
            5,
            "split: give train, validation and test, or validation_per_class and",
        ),
        ("split", {"test_per_class": 5}, "split: every side must be given"),
        ("classes", {"a": {"name": "A"}}, "classes: dictionary should have at least 2 items"),
        ("selection", {"order": "alphabet"}, "selection.order: input should be 'random' or 'file' (given: 'alphabet')"),
        ("split.train", 0.7, "split: train, validation and test must add up to 1"),
        ("split.test", 0, "split.test: input should be greater than 0 (given: 0)"),
        ("split.train", 1.0, "split.train: input should be less than 1 (given: 1.0)"),
        (
            "experiments.net.threads",
            0,
            "experiments.net.threads: input should be greater than or equal to 1 (given: 0)",
        ),
        ("experiments.net.parameters.widths", [8, 0], "experiments.net.parameters.widths.1: "),
        ("experiments.net.parameters.mistakes", 2.5, "experiments.net.parameters.mistakes: "),
        ("experiments.net.parameters.class_weights", "root", "experiments.net.parameters.class_weights: "),
        ("experiments.net.parameters.augmentation.zoom", 1.5, "experiments.net.parameters.augmentation.zoom: "),
        ("profiles.sample.images.size", 4, "images.size: input should be greater than or equal to 16 (given: 4)"),
    ],
)
def test_wrong_values_are_named_with_file_profile_and_key(project, place, value, complaint):
    study = changed(place, value)
    if not place.startswith("profiles"):
        del study["profiles"]
    write(study)
    assert refusal().startswith(f"{FILE}, profile sample: {complaint}")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the file"),
        ("- a list\n", "the file must hold keys with values"),
        ("profiles: [sample]\n", "profiles must hold keys with values"),
        ("profiles: {sample: 3}\n", "profiles.sample must hold keys with values"),
        ("profiles: {sample: {experiments: 3}}\n", "profiles.sample.experiments must hold keys with values"),
        ("experiments: [net]\n", "experiments must hold keys with values"),
    ],
)
def test_a_file_of_another_shape_is_refused(project, text, complaint):
    write(text)
    message = refusal()
    if text:
        assert message.startswith(f"{FILE}: {complaint} (given: ")
    else:
        assert message == f"{FILE}, profile sample: title: field required."


def test_yaml_mistakes_are_named_with_their_line(project):
    write("title: Demo\nsummary: a: b\n")
    assert refusal() == f"{FILE}, line 2: mapping values are not allowed here."
    write("title: Demo\n\nimages: {size: 64\n")
    assert refusal().startswith(f"{FILE}, line 4: ")
    paths.study_file("demo").write_bytes("title: Läsion\n".encode("latin-1"))
    assert refusal() == f"{FILE}: not UTF-8 at byte 8; save it as UTF-8."


def test_what_fits_its_notebook_passes(project):
    assert params.check("demo", "sample") == params.load("demo", "sample")


def test_arguments_are_the_common_ones_and_those_named(project):
    study = params.load("demo", "sample")
    assert params.arguments("demo", "sample", "net", study) == {
        "study": "demo",
        "profile": "sample",
        "step": "net",
        "output": "build/sample/demo/net",
        "seed": 7,
        "threads": 2,
        "mistakes": 1,
        "widths": [8, 16],
        "augmentation": {"zoom": 0.1, "rotation_degrees": 20.0},
    }
    assert tuple(params.arguments("demo", "sample", "explore", study)) == params.COMMON


def test_a_parameter_that_the_notebook_does_not_know(project):
    write(changed("experiments.net.parameters.dropout", 0.5))
    assert refusal(params.check) == f"{FILE}: experiments.net: the notebook model.ipynb has no parameter 'dropout'."
    write(changed("experiments.net.parameters.views", 4))
    write_notebook("model", MODEL_CELL.replace("views", "view"))
    assert refusal(params.check) == (
        f"{FILE}: experiments.net: the notebook model.ipynb has no parameter 'views' (did you mean 'view'?)."
    )


@pytest.mark.parametrize(
    ("default", "kind"), [("'many'", "str"), ("(1,)", "tuple"), ("{}", "dict"), ("True", "bool"), ("None", "NoneType")]
)
def test_a_parameter_of_another_type_than_its_default(project, default, kind):
    write_notebook("model", MODEL_CELL.replace("mistakes = 10", f"mistakes = {default}"))
    assert refusal(params.check) == (
        f"{FILE}: experiments.net: mistakes is 1, but its default in model.ipynb is {default}; "
        f"give a value of type {kind}."
    )


def test_a_whole_number_fits_a_float_and_a_list_a_tuple_but_a_switch_no_number(project):
    write_notebook("model", MODEL_CELL.replace("mistakes = 10", "mistakes = 10.0").replace("(8,)", "[8]"))
    params.check("demo", "sample")
    assert not params._same_type(0, True)
    assert not params._same_type(False, 0)
    assert not params._same_type(1, 1.5)


def test_missing_experiments_and_notebooks(project):
    write(changed("experiments.compare", ...))
    assert refusal(params.check) == f"{FILE}: experiments.compare is missing; every study needs it."
    write(changed("experiments.net.notebook", "modell"))
    assert refusal(params.check) == (
        f"{FILE}: experiments.net: no notebook 'modell' in notebooks/ (did you mean 'model'?)."
    )


def test_the_cell_of_the_parameters_must_be_one_and_must_run(project):
    write_notebook("none", "a = 1", tags=())
    write_notebook("two", "a = 1", "b = 2")
    write_notebook("broken", "a = \n")
    for name, found in (("none", 0), ("two", 2)):
        with pytest.raises(LesionbookError, match=rf"^{name}.ipynb: {found} cells are tagged 'parameters'; .* one\.$"):
            params.defaults(paths.notebook(name))
    with pytest.raises(LesionbookError, match=r"^broken.ipynb: the cell tagged 'parameters' does not run by itself"):
        params.defaults(paths.notebook("broken"))
    assert params.defaults(paths.notebook("look"))["output"] == "build/by-hand"
    assert "mistaeks" not in params.defaults(paths.notebook("look"))


def test_defaults_of_a_recipe_are_within_its_own_ranges():
    for kind in (Recipe, Knobs):
        assert kind.model_validate(kind().model_dump()) == kind()


def studies():
    return sorted((paths.root() / "params").glob("*.yml"))


def test_schema_for_editors_is_that_of_the_library():
    written = (paths.root() / "params" / "study.schema.json").read_text(encoding="utf-8")
    assert written == schemas.json_schema(), "run make schema"


@pytest.mark.parametrize("path", studies(), ids=lambda path: path.stem)
def test_every_study_file_loads_under_every_profile_and_fits_its_notebooks(path):
    for profile in params.PROFILES:
        study = params.check(path.stem, profile)
        assert study.models


@pytest.mark.parametrize("path", studies(), ids=lambda path: path.stem)
def test_every_study_file_validates_against_the_schema(path):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(schemas.json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), schema)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("titel", "x"),
        ("images.size", 8),
        ("experiments.net.parameters.augmentation.zoom", 2),
        ("title", ...),
        ("profiles.labtop", {}),
        ("profiles.laptop.images", {"sise": 3}),
        ("profiles.laptop.experiments.net.parameters", {"mistakes": 0}),
    ],
)
def test_the_schema_refuses_what_the_library_refuses(place, value):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(schemas.json_schema())
    whole = copy.deepcopy(STUDY)
    whole["profiles"]["paper"] = {}
    jsonschema.validate(whole, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed(place, value) | ({} if "." in place else {"profiles": {}}), schema)
