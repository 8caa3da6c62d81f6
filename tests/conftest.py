import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def _no_figures_of_other_tests():
    """Begin with no figure open, so that a test may say that none is left."""
    plt.close("all")


@pytest.fixture(scope="session")
def one_thread():
    """TensorFlow fixed to one thread, which is possible only before its first computation."""
    from lesionbook import training

    training.begin(seed=0, threads=1)


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """A classifier of a small project, whose folder is ``served.folder``; reading the project needs no more of it."""
    import served_project

    from lesionbook.serve import classification, model

    folder = tmp_path_factory.mktemp("a served project") / "project"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        served_project.make(folder)
        found = classification.Classifier(model.load(*served_project.PLACE))
        found.model.run.listing  # noqa: B018 - read while this is the working directory
    found.folder = folder
    return found
