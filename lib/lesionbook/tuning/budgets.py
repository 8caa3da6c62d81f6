"""How many epochs a search may train: as many as sweeps took, so that the two can be held against each other."""

from collections.abc import Sequence

from lesionbook import paths, run


def epochs(profile: str, study: str, sweeps: Sequence[str], budget: int) -> int:
    """Epochs for one search with one seed.

    Parameters
    ----------
    profile, study : str
        Of the run.
    sweeps : sequence of str
        Sweeps that have run. Their epochs are divided by their seeds: what it takes to train each setting once. A
        search with as many seeds as they have then costs as much as they did.
    budget : int
        What is taken where no sweep is named.
    """
    if not sweeps:
        return budget
    spent = [run.read_json(paths.step(profile, study, name) / "summary.json") for name in sweeps]
    return round(sum(one["cost"]["epochs"] / one["seeds"] for one in spent))
