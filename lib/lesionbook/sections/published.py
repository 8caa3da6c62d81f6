"""What is shown of the published study: its results beside those of this run."""

import pandas as pd

from lesionbook import report
from lesionbook import reproduction as found
from lesionbook.run import Run


def reproduction(run: Run, scored: pd.DataFrame) -> dict[str, int]:
    """Show every published score beside the one measured here, and every published size of a network.

    Parameters
    ----------
    run : Run
        Of the comparison.
    scored : DataFrame
        Intervals of the scores with the index ``model`` (title), ``score``; see `lesionbook.reproduction.table`.

    Returns
    -------
    dict
        How many published figures agree, differ and are not compared, for ``summary.json``.
    """
    results, sizes = found.table(run, scored), found.sizes(run)
    if results.empty and sizes.empty:
        report.show_note("No published study belongs to this one: there is nothing to hold the results against.")
        return found.counts()
    if len(results):
        report.show_table(
            found.shown(results),
            label="reproduction",
            caption="The accuracies and leaderboard scores that the study states of its models, with the interval "
            "that the number of images implies (Wilson; images taken as independent), beside the one measured here, "
            "with its interval by bootstrap over groups. The tolerance was set before any run. It judges whether the "
            "figures are the same, not which is right.",
            formats={"tolerance": "{:.3f}"},
            index=False,
        )
    if len(sizes):
        report.show_table(
            sizes,
            label="sizes",
            caption="Number of parameters as published, and as counted in the network built here in its published "
            "size. This does not depend on the images.",
            formats={"published": "{:,}", "here": "{:,.0f}"},
            index=False,
        )
    counts = found.counts(results, sizes)
    report.show_note(found.sentence(counts))
    return counts
