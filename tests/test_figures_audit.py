import pandas as pd

from lesionbook.figures import audit


def test_both_pairings_and_the_printed_number_are_drawn():
    simulated = pd.DataFrame({"in order": [830, 840, 850, 840], "shuffled": [410, 420, 430, 425]})
    figure = audit.pairings(simulated, images=998, observed=416, stated=0.84)
    (axes,) = figure.axes
    heights = [sum(patch.get_height() for patch in container) for container in axes.containers]
    assert heights == [4, 4]
    assert axes.lines[0].get_xdata()[0] == 416
    assert {text.get_text() for text in axes.texts} == {"printed: 416"}
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {
        "labels of other images",
        "labels of the same images",
    }
    assert axes.get_xlim() == (0, 998)
