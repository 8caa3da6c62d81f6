import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lesionbook import sources
from lesionbook.errors import LesionbookError


def test_cells_are_read_as_nbformat_reads_them(tmp_path):
    path = tmp_path / "a.ipynb"
    code = new_code_cell("a = 1\nb = 2", metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Ä\n\ntext"), code]), path)
    assert sources.cells(path) == [
        sources.Cell("markdown", "# Ä\n\ntext", ()),
        sources.Cell("code", "a = 1\nb = 2", ("parameters",)),
    ]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"cells": [1]}'])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    with pytest.raises(LesionbookError, match=r"a\.ipynb is no notebook"):
        sources.cells(path)
