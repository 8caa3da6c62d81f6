import ast

import pytest

from lesionbook import params, paths, sources
from lesionbook.architectures import builders
from lesionbook.errors import LesionbookError

STUDIES = ("ham10000-transfer", "isic2019-transfer", "melanoma-cnn", "metastasis-architectures", "metastasis-baselines")


def build(image_size, classes, *, filters=(1,), dropout=0.3, trainable_from=None, plan=()):
    """Stands for a network."""


def test_options_are_what_the_builder_knows_with_lists_for_tuples():
    known = {"filters": (8, 16), "dropout": 0, "trainable_from": "", "plan": ((1, 2), (3, 4)), "seed": 3}
    found = builders.options(build, known, image_size=32, classes=2)
    assert found == {"image_size": 32, "classes": 2, "filters": [8, 16], "dropout": 0, "plan": [[1, 2], [3, 4]]}


def code(notebook):
    return "\n".join(cell.text for cell in sources.cells(paths.notebook(notebook)) if cell.kind == "code")


@pytest.mark.parametrize("notebook", builders.BUILDERS)
def test_every_notebook_of_the_registry_has_its_builder(notebook):
    assert paths.notebook(notebook).exists()
    found = builders.builder(notebook)
    assert found.__module__ == builders.module(notebook)
    assert f"= trained.obtain(\n    {found.__name__},\n" in code(notebook)


def test_a_notebook_without_a_network_of_its_own_is_refused():
    with pytest.raises(LesionbookError, match="40-image-and-metadata trains no network whose settings can be varied"):
        builders.builder("40-image-and-metadata")


class Two:
    """Stands for the classes of a run and for its store."""

    classes = ("a", "b")
    size = 96


@pytest.mark.parametrize("study", STUDIES)
def test_options_from_a_study_file_are_those_that_the_notebook_gives(study):
    """A setting that is varied must be built like the experiment itself."""
    loaded, compared = params.load(study, "sample"), 0
    for experiment in loaded.experiments.values():
        if experiment.notebook not in builders.BUILDERS:
            continue
        source = paths.notebook(experiment.notebook)
        known = params.defaults(source) | experiment.parameters.model_dump(mode="json", exclude_unset=True)
        tree = ast.parse(code(experiment.notebook))
        (literal,) = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets) == "options"
        ]
        theirs = eval(ast.unparse(literal), {"store": Two, "run": Two, **known})
        ours = builders.options(builders.builder(experiment.notebook), known, image_size=96, classes=2)
        assert ours == {key: value for key, value in theirs.items() if value is not None}
        compared += 1
    assert compared
