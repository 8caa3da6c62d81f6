import shutil
import warnings
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from image_files import BLUE, GREEN, RED, noise, png_of_size, saved, thirds
from PIL import Image, ImageOps

from lesionbook import decoding
from lesionbook.errors import LesionbookError

WHITE = (255, 255, 255)


def message(path):
    """What decoding a bad file says; neither the machine's folders nor a warning come with it."""
    with warnings.catch_warnings(), pytest.raises(LesionbookError) as caught:
        warnings.simplefilter("error")
        decoding.decode(path, 8, "crop")
    said = str(caught.value)
    assert str(path.parent.parent) not in said and "\n" not in said
    assert said.endswith(".") and said.startswith("/".join(path.parts[-2:]) + " cannot be decoded (")
    return said


def test_crop_keeps_the_centre_and_squash_keeps_everything(tmp_path):
    path = saved(tmp_path / "a.png", thirds())
    cropped, facts = decoding.decode(path, 20, "crop")
    assert cropped.shape == (20, 20, 3) and cropped.dtype == np.uint8
    assert (cropped == GREEN).all(), "the central square of the original is its middle third"
    squashed, _ = decoding.decode(path, 30, "squash")
    assert squashed.shape == (30, 30, 3)
    assert [tuple(squashed[15, column]) for column in (3, 15, 26)] == [RED, GREEN, BLUE]
    assert (facts["width"], facts["height"], facts["mode"], facts["format"]) == (60, 20, "RGB", "PNG")
    assert facts["rotated"] is False


def test_an_image_of_the_wanted_size_is_left_as_it_is(tmp_path):
    pixels = noise(32, 32)
    for fit in ("crop", "squash"):
        assert (decoding.decode(saved(tmp_path / "a.tif", pixels), 32, fit)[0] == pixels).all()


def test_content_is_the_hash_of_the_decoded_pixels_whatever_the_file(tmp_path):
    png = saved(tmp_path / "a.png", thirds())
    tall = thirds(60, 300)
    tall[290] = 9
    facts = [
        decoding.decode(path, 8, fit)[1]
        for path, fit in (
            (png, "crop"),
            (png, "squash"),
            (saved(tmp_path / "b.bmp", thirds()), "crop"),
            (saved(tmp_path / "c.png", np.ascontiguousarray(thirds()[:, ::-1])), "crop"),
            (saved(tmp_path / "d.png", np.full((20, 60, 3), 7, dtype=np.uint8)), "crop"),
            (saved(tmp_path / "e.png", np.full((60, 20, 3), 7, dtype=np.uint8)), "crop"),
            (saved(tmp_path / "f.png", tall), "crop"),
            (saved(tmp_path / "g.png", thirds(60, 300)), "crop"),
        )
    ]
    assert facts[0] == facts[1]
    contents = [one["content"] for one in facts]
    assert contents[0] == contents[2]
    assert len(set(contents)) == 6, (
        "mirrored, of the same bytes in another shape, or with one other row: other pictures"
    )


@pytest.mark.parametrize(
    ("mode", "ending", "expected"),
    [
        ("L", "png", (76, 76, 76)),  # ITU-R 601-2: 0.299 of 255
        ("LA", "png", (76, 76, 76)),
        ("RGBA", "png", RED),
        ("P", "png", RED),
        ("P", "gif", RED),
        ("CMYK", "tif", RED),
        ("CMYK", "jpg", RED),
        ("1", "png", None),
    ],
)
def test_every_mode_becomes_rgb(tmp_path, mode, ending, expected):
    path = saved(tmp_path / f"a.{ending}", np.full((12, 12, 3), RED, dtype=np.uint8), mode)
    pixels, facts = decoding.decode(path, 6, "crop")
    assert pixels.shape == (6, 6, 3) and pixels.dtype == np.uint8
    assert facts["mode"] == mode
    if expected is not None:
        assert np.abs(pixels.astype(int) - expected).max() <= (1 if ending == "jpg" else 0)
    assert decoding.original(path).shape == (12, 12, 3)


def test_what_is_transparent_is_white_whatever_colour_it_hides(tmp_path):
    files = {}
    for mode, colour in (("RGBA", (200, 10, 10, 0)), ("LA", (30, 0))):
        files[f"{mode}.png"] = (Image.new(mode, (8, 8), colour), {})
    for mode, colour in (("RGB", (200, 10, 10)), ("L", 30), ("1", 0), ("I;16", 3000)):
        files[f"{mode[0]}key.png"] = (Image.new(mode, (8, 8), colour), {"transparency": colour})
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 200, 10, 10])
    files |= {"p.png": (palette, {"transparency": 1}), "p.gif": (palette, {"transparency": 1})}
    for name, (image, options) in files.items():
        image.save(tmp_path / name, **options)
        assert (decoding.original(tmp_path / name) == WHITE).all(), name
    Image.new("RGBA", (8, 8), (255, 0, 0, 51)).save(tmp_path / "half.png")
    assert (decoding.original(tmp_path / "half.png") == (255, 204, 204)).all(), "a fifth of red on white"


@pytest.mark.parametrize(("ending", "kind"), [("png", "<u2"), ("tif", "<u2"), ("tif", ">u2")])
def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path, ending, kind):
    levels = np.array([[0, 128, 129, 257, 1000, 30_000, 65_406, 65_535]], dtype=kind)
    Image.fromarray(levels).save(tmp_path / f"a.{ending}")
    pixels = decoding.original(tmp_path / f"a.{ending}")
    assert pixels[0, :, 0].tolist() == [0, 0, 1, 1, 4, 117, 254, 255]
    assert (pixels == pixels[..., :1]).all()
    assert decoding.decode(tmp_path / f"a.{ending}", 1, "squash")[1]["mode"].startswith("I;16")


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_held_sideways_is_turned_upright(tmp_path, ending, orientation):
    upright = thirds(48, 24)
    upright[:12] //= 2  # no symmetry left
    exif = Image.Exif()
    exif[0x0112] = orientation
    tagged = Image.fromarray(upright)
    tagged.getexif()[0x0112] = {6: 8, 8: 6}.get(orientation, orientation)  # the other way round
    options = {"quality": 95, "subsampling": 0} if ending == "jpg" else {"lossless": True} if ending == "webp" else {}
    ImageOps.exif_transpose(tagged).save(tmp_path / f"a.{ending}", exif=exif, **options)
    pixels, facts = decoding.decode(tmp_path / f"a.{ending}", 24, "squash")
    assert (facts["width"], facts["height"], facts["rotated"]) == (48, 24, orientation != 1)
    original = decoding.original(tmp_path / f"a.{ending}")
    assert original.shape == upright.shape
    assert np.abs(original.astype(int) - upright).mean() < 2
    plain, _ = decoding.decode(saved(tmp_path / "upright.png", upright), 24, "squash")
    assert np.abs(pixels.astype(int) - plain).mean() < 2


def test_of_several_frames_the_first_is_taken(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    for name in ("a.gif", "a.tif", "a.webp"):
        options = {"lossless": True} if name.endswith("webp") else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
        assert (decoding.original(tmp_path / name) == RED).all(), name


def test_the_content_of_a_file_counts_and_not_its_ending(tmp_path):
    shutil.move(saved(tmp_path / "a.png", thirds()), tmp_path / "a.jpg")
    pixels, facts = decoding.decode(tmp_path / "a.jpg", 20, "crop")
    assert facts["format"] == "PNG" and (pixels == GREEN).all()


# ---- large JPEGs -----------------------------------------------------------------------------------------------------


def smooth(width, height, seed=0):
    """A picture with detail at all scales, as photographs have."""
    rng = np.random.default_rng(seed)
    layers = [
        Image.fromarray(rng.integers(0, 256, (n * 3 // 4, n, 3), dtype=np.uint8)).resize((width, height), 3)
        for n in (4, 16, 64, 256)
    ]
    return np.mean([np.asarray(layer) for layer in layers], axis=0).astype(np.uint8)


@pytest.mark.parametrize("fit", ["crop", "squash"])
@pytest.mark.parametrize("size", [(1600, 1200), (1021, 767)])
def test_a_large_jpeg_decoded_at_reduced_size_is_nearly_the_same(tmp_path, monkeypatch, fit, size):
    path = saved(tmp_path / "a.jpg", smooth(*size), quality=90)
    reduced, facts = decoding.decode(path, 96, fit)
    monkeypatch.setattr(decoding, "REDUCED", 10**6)  # so that no reduction is enough
    full, facts_full = decoding.decode(path, 96, fit)
    assert facts["content"] != facts_full["content"], "really decoded at another size"
    assert {**facts, "content": ""} == {**facts_full, "content": ""}
    assert (facts["width"], facts["height"]) == size
    difference = np.abs(reduced.astype(int) - full)
    assert difference.mean() < 0.4 and difference.max() <= 9


def test_a_jpeg_is_reduced_only_where_twice_the_wanted_size_is_left(tmp_path):
    path = saved(tmp_path / "a.jpg", smooth(400, 300), quality=90)
    whole = decoding.original(path)
    assert decoding._read(path, 2 * 75)[0].size == (200, 150)
    assert decoding._read(path, 2 * 76)[0].size == (400, 300)
    exact = np.asarray(Image.fromarray(whole).resize((76, 76), Image.Resampling.LANCZOS))
    assert (decoding.decode(path, 76, "squash")[0] == exact).all()
    cropped = ImageOps.fit(Image.fromarray(whole), (76, 76), Image.Resampling.LANCZOS)
    assert (decoding.decode(path, 76, "crop")[0] == np.asarray(cropped)).all()


# ---- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "bmp", "gif", "webp", "jp2"])
def test_a_file_that_is_cut_off_is_refused_by_name(tmp_path, ending):
    whole = saved(tmp_path / "part_1" / f"a.{ending}", noise()).read_bytes()
    for share in (0.9, 0.5, 0.02):
        cut = tmp_path / "part_1" / f"cut.{ending}"
        cut.write_bytes(whole[: int(share * len(whole))])
        assert message(cut).endswith("; replace the file.")


def test_a_compressed_file_with_changed_bytes_is_refused(tmp_path):
    for name, options in (("a.png", {}), ("a.tif", {"compression": "tiff_deflate"})):
        path = saved(tmp_path / "p" / name, noise(), **options)
        content = bytearray(path.read_bytes())
        content[len(content) // 2 :: 7] = bytes(len(content[len(content) // 2 :: 7]))
        path.write_bytes(content)
        assert "cannot be decoded (it is" in message(path)


def test_what_is_no_image_is_refused_and_nothing_is_run_for_it(tmp_path):
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    (tmp_path / "p").mkdir()
    for name, content in (("text.jpg", b"<html>not found</html>"), ("a.png", postscript), ("b.eps", postscript)):
        (tmp_path / "p" / name).write_bytes(content)
        assert "(it is no JPEG, PNG, TIFF," in message(tmp_path / "p" / name)
    (tmp_path / "p" / "empty.jpg").write_bytes(b"")
    assert message(tmp_path / "p" / "empty.jpg") == (
        "p/empty.jpg cannot be decoded (it has zero bytes); replace the file."
    )
    (tmp_path / "p" / "folder.jpg").mkdir()
    assert "(is a directory)" in message(tmp_path / "p" / "folder.jpg")
    for absent in (tmp_path / "p" / "absent.jpg", tmp_path / "nowhere" / "absent.jpg"):
        assert message(absent).endswith(
            "/absent.jpg cannot be decoded (it is missing); put it back or take it out of the table."
        )


@pytest.mark.parametrize(("kind", "said"), [(np.int32, "32-bit whole numbers"), (np.float32, "32-bit fractions")])
def test_pixels_of_32_bits_are_refused(tmp_path, kind, said):
    Image.fromarray(np.ones((8, 8), dtype=kind)).save(tmp_path / "a.tif")
    assert message(tmp_path / "a.tif").endswith(
        f"(its pixels are {said}, not levels of 8 or 16 bits); save it as 8-bit RGB."
    )


def test_too_many_pixels_are_refused_from_the_header_alone(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    for width, height in ((10_001, 10_000), (60_000, 60_000)):
        path.write_bytes(png_of_size(width, height))
        assert f"(it has {width} × {height} pixels, the limit is 100,000,000 in all); reduce" in message(path)
    path.write_bytes(png_of_size(10_000, 9_999))
    assert "(it is damaged or cut off)" in message(path), "not too large, but there are no pixels"
    monkeypatch.setattr(decoding, "MAX_PIXELS", 1200)
    decoding.decode(saved(tmp_path / "b.png", thirds(60, 20)), 4, "crop")
    assert "60 × 21 pixels" in message(saved(tmp_path / "c.png", thirds(60, 21)))


def test_lack_of_memory_is_no_fault_of_the_file(tmp_path, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(decoding, "_rgb", fail)
    with pytest.raises(MemoryError):
        decoding.decode(saved(tmp_path / "a.png", thirds()), 4, "crop")


# ---- HDF5 ------------------------------------------------------------------------------------------------------------


def hdf5(path, pixels, name="x"):
    with h5py.File(path, "w") as file:
        file.create_dataset(name, data=pixels, compression="gzip")
    return path


def test_rows_of_an_hdf5_file_are_images(tmp_path):
    pixels = np.stack([noise(9, 9, seed) for seed in range(5)])
    file = hdf5(tmp_path / "train_x.h5", pixels)
    for row in (4, 0):
        found, facts = decoding.decode(file / str(row), 9, "crop")
        assert (found == pixels[row]).all()
    assert (facts["width"], facts["height"], facts["mode"], facts["format"]) == (9, 9, "RGB", "HDF5")
    assert facts["content"] == decoding.decode(saved(tmp_path / "a.png", pixels[0]), 4, "crop")[1]["content"]
    assert (decoding.original(file / "2") == pixels[2]).all()
    assert decoding.file_of(file / "2") == file and decoding.file_of(tmp_path / "a.png") == tmp_path / "a.png"
    assert message(file / "5").startswith("train_x.h5/5 cannot be decoded (the file has 5 rows, numbered from 0);")
    file.unlink()
    assert "(it is missing)" in message(file / "1")


def test_an_hdf5_file_that_was_replaced_is_opened_again(tmp_path):
    for value in (3, 4):
        other = hdf5(tmp_path / "new.h5", np.full((1, 4, 4, 3), value, dtype=np.uint8))
        other.replace(tmp_path / "a.h5")
        assert (decoding.original(tmp_path / "a.h5" / "0") == value).all()


def test_hdf5_files_that_are_none_are_refused(tmp_path):
    hdf5(tmp_path / "y.h5", np.zeros((2, 1, 1, 1), dtype=np.uint8), name="y")
    assert "(the file has no dataset 'x')" in message(tmp_path / "y.h5" / "0")
    (tmp_path / "text.h5").write_bytes(b"no HDF5 at all")
    assert "(it is damaged or cut off)" in message(tmp_path / "text.h5" / "0")
    (tmp_path / "empty.h5").write_bytes(b"")
    assert "(it has zero bytes)" in message(tmp_path / "empty.h5" / "0")


# ---- many ------------------------------------------------------------------------------------------------------------


def test_many_are_decoded_in_order_by_several_processes(tmp_path):
    files = [saved(tmp_path / f"{k}.png", np.full((4, 4, 3), k, dtype=np.uint8)) for k in range(20)]
    paths = pd.Series(files)[::-1]
    stack = decoding.decode_many(paths, 3, "crop")
    assert stack.shape == (20, 3, 3, 3) and stack.dtype == np.uint8
    assert stack[:, 1, 1, 0].tolist() == list(range(20))[::-1]


def test_measures_are_means_over_the_pixels_and_bad_files_have_none(tmp_path):
    picture = smooth(1200, 900)
    files = [saved(tmp_path / "a.png", thirds(60, 20)), tmp_path / "absent.png"]
    files.append(saved(tmp_path / "b.jpg", picture, quality=95))
    found = decoding.measure(pd.Series(files, index=[7, 8, 9]))
    assert found.columns.tolist() == ["width", "height", "brightness", "red", "green", "blue", "problem"]
    assert found.index.tolist() == [7, 8, 9]
    assert found.loc[7, ["width", "height", "brightness", "red", "green", "blue"]].tolist() == [60, 20, 85, 85, 85, 85]
    assert found.loc[8].isna().sum() == 6
    assert found["problem"].tolist()[::2] == ["", ""] and "(it is missing)" in found.loc[8, "problem"]
    assert found.loc[9, ["width", "height"]].tolist() == [1200, 900]
    assert np.abs(found.loc[9, ["red", "green", "blue"]].to_numpy(float) - picture.mean(axis=(0, 1))).max() < 0.5
    assert found.loc[9, "brightness"] == pytest.approx(found.loc[9, ["red", "green", "blue"]].mean())


@pytest.mark.parametrize("fit", ["crop", "squash"])
def test_what_is_in_memory_is_decoded_as_what_is_on_disk(tmp_path, fit):
    sideways = Image.Exif()
    sideways[0x0112] = 6
    for ending, options in (("png", {}), ("jpg", {"exif": sideways}), ("jpg", {})):
        path = saved(tmp_path / f"a.{ending}", noise(401, 300), **options)
        pixels, facts = decoding.decode(path, 32, fit)
        again, same = decoding.decode(Path("b"), 32, fit, content=path.read_bytes())
        assert (again == pixels).all()
        assert same == facts


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"^b\.png cannot be decoded \(it has zero bytes\); replace the file\.$"),
        (b"MZ program", r"^b\.png cannot be decoded \(it is no JPEG, .* file, or only a part of one\)"),
        (png_of_size(40, 40), r"^b\.png cannot be decoded \(it is damaged or cut off\); replace the file\.$"),
        (
            png_of_size(40, 41),
            r"^b\.png cannot be decoded \(it has 40 × 41 pixels, the limit is 1,600 in all\); reduce",
        ),
    ],
)
def test_what_is_wrong_in_memory_is_said_under_its_name(content, said):
    with pytest.raises(LesionbookError, match=said):
        decoding.decode(Path("b.png"), 8, "crop", content=content, max_pixels=1600)
