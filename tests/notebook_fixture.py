"""A small executed notebook, made without a kernel: what the report helper shows becomes the cells' outputs."""

from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lesionbook import predictions, report


def shown(call, *args, **keywords) -> list:
    """Outputs of a code cell that makes one call."""
    outputs = []
    real, report.display = (
        report.display,
        lambda data, raw: outputs.append(new_output("display_data", data=dict(data))),
    )
    try:
        call(*args, **keywords)
    finally:
        report.display = real
    return outputs


def markup(call, *args, **keywords) -> str:
    return shown(call, *args, **keywords)[0]["data"]["text/html"]


def curve(end: float = 0.5):
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.plot([0, 1, 2], [2, 1, end])
    return figure


def cells() -> list:
    table = pd.DataFrame({"name": ["<b>nevus</b>", "melanoma"], "recall": [0.81239, np.nan]}, index=["nv", "mel"])
    wide = pd.DataFrame(np.arange(60.0).reshape(2, 30) / 7, columns=[f"measured value {i}" for i in range(30)])
    long = pd.DataFrame({"lesion": [f"HAM_{i:07d}" for i in range(120)], "probability": np.linspace(0, 1, 120)})
    noise = [
        new_output("stream", name="stderr", text="UserWarning: chatter of a library\n"),
        new_output("stream", name="stdout", text="\r 50%|###  |\r100%|#####|\nbest epoch: 12\n"),
    ]
    code = [
        (["parameters"], "epochs = 20  # as published", []),
        (["injected-parameters"], "epochs = 3\ndata = '/home/someone/pictures/ham10000'", []),
        ([], "fit()", noise),
        ([], "show_note()", shown(report.show_note, "These are **drawn**, see [Table](#tbl-scores).", "drawn")),
        (
            [],
            "curve()",
            shown(report.show_figure, curve(), label="loss", caption="Loss $\\mathcal{L}$.", alt="A line falls."),
        ),
        ([], "scores()", shown(report.show_table, table, label="scores", caption="Scores per class.")),
        (
            [],
            "again()",
            shown(report.show_figure, curve(1.5), label="again", caption="Once more.", alt="It rises again."),
        ),
        ([], "wide()", shown(report.show_table, wide, label="wide", caption="Everything.")),
        ([], "long()", shown(report.show_table, long, label="long", caption="Every lesion.", index=False)),
        ([], "source()", shown(report.show_source, predictions.class_names)),
    ]
    made = [new_code_cell(text, outputs=outputs, metadata={"tags": tags}) for tags, text, outputs in code]
    first = new_markdown_cell(
        "# Loss and scores\n\nSee [Figure](#fig-again), [Figure](#fig-loss), "
        "[Table](#tbl-scores) and [the curve](#fig-loss)."
    )
    formula = new_markdown_cell(
        "## The model\n\nThe mean $\\bar{x} < 1$ stays, `$HOME` too.\n\n"
        "$$\\begin{aligned} a &= b \\\\ c &= \\arg\\max_d e \\end{aligned}$$\n\n"
        "### Details\n\nMore [above](#The-model)."
    )
    return [
        first,
        *made[:4],
        formula,
        *made[4:],
        new_markdown_cell("## The model\n\nThe end, at <https://example.org>."),
    ]


def write(path: Path, content: list) -> Path:
    notebook = new_notebook(cells=content, metadata={"language_info": {"name": "python"}})
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    nbformat.write(notebook, path)
    return path


def failed() -> list:
    """Cells of a run that stopped before the figure it refers to."""
    trace = [
        "\x1b[31m----\x1b[0m",
        "ValueError   Traceback (most recent call last)",
        "Cell In[7], line 1\n----> 1 fit()",
    ]
    trace += [
        "File /home/someone/lib/lesionbook/training.py:9, in fit",
        "inner",
        "ValueError: no images in /home/someone/x",
    ]
    error = new_output("error", ename="ValueError", evalue="no images in /home/someone/x", traceback=trace)
    return [
        new_markdown_cell("# Broken\n\nSee [Figure](#fig-never)."),
        new_code_cell("fit()", outputs=[error], execution_count=7),
        new_markdown_cell("## After"),
    ]
