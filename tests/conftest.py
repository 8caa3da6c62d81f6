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
