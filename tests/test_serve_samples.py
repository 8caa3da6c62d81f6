import dataclasses

from lesionbook.errors import LesionbookError
from lesionbook.serve import samples


def test_samples_are_files_of_test_images_of_every_class_in_their_order(served):
    found = samples.choose(served.model)
    test = served.model.test.set_index("image_id")["label"]
    assert [one.label for one in found] == [name for name in served.model.run.classes for _ in range(3)]
    assert all(test[one.image_id] == one.label for one in found)
    assert all(one.path.is_file() for one in found)
    assert found == samples.choose(served.model)


def test_a_file_that_is_gone_is_left_out(served, monkeypatch):
    first = samples.choose(served.model)[0]
    moved = first.path.with_suffix(".gone")
    first.path.rename(moved)
    try:
        assert first not in samples.choose(served.model)
    finally:
        moved.rename(first.path)


def test_without_the_data_folder_there_are_none(served):
    class Elsewhere:
        @property
        def table(self):
            raise LesionbookError("No images at data/image_folder.")

    assert samples.choose(dataclasses.replace(served.model, run=Elsewhere())) == []
