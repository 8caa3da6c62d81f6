import pytest


@pytest.fixture(scope="session")
def one_thread():
    """TensorFlow fixed to one thread, which is possible only before its first computation."""
    from lesionbook import training

    training.begin(seed=0, threads=1)
