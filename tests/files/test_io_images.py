"""Images: values, orientation, 16 bits."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from geomface.errors import FileFormatError, OutputError, SettingsError
from geomface.files import decoding, load_image, png16, save_image
from geomface.files.images import decode_image


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("images")


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    bits=st.sampled_from([8, 16]),
    channels=st.sampled_from([1, 3, 4]),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
)
def test_levels_return_exactly(folder, seed, bits, channels, height, width):
    top = 2**bits - 1
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, top + 1, (height, width, channels))
    image = (levels / top).astype(np.float32)
    save_image(folder / "i.png", image, bits)
    again = load_image(folder / "i.png", channels)
    assert again.dtype == np.float32 and again.shape == image.shape
    np.testing.assert_array_equal(np.round(again.astype(np.float64) * top), levels)
    np.testing.assert_array_equal(again, image)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), bits=st.sampled_from([8, 16]))
def test_rounding_is_half_a_level_at_most(folder, seed, bits):
    image = np.random.default_rng(seed).random((5, 4, 3)).astype(np.float32)
    save_image(folder / "i.png", image, bits)
    assert np.abs(load_image(folder / "i.png") - image).max() <= 0.5 / (2**bits - 1) + 1e-7


def test_every_sixteen_bit_level_survives(folder):
    levels = np.arange(2**16).reshape(256, 256, 1)
    image = (levels / 65535).astype(np.float32)
    save_image(folder / "i.png", image, 16)
    np.testing.assert_array_equal(np.rint(load_image(folder / "i.png", 1) * 65535.0), levels)


def test_row_zero_is_the_top_for_pillow_too(folder):
    image = np.zeros((4, 6, 3), np.float32)
    image[0, 0] = (1, 0, 0)
    image[3, 5] = (0, 0, 1)
    for bits in (8, 16):
        save_image(folder / "i.png", image, bits)
        with Image.open(folder / "i.png") as picture:
            assert picture.size == (6, 4)
            assert picture.convert("RGB").getpixel((0, 0)) == (255, 0, 0)
            assert picture.convert("RGB").getpixel((5, 3)) == (0, 0, 255)


def test_channels_are_converted(folder):
    rgb = np.random.default_rng(0).integers(0, 256, (3, 4, 3)) / 255
    grey = rgb @ [0.299, 0.587, 0.114]
    for bits in (8, 16):
        save_image(folder / "i.png", rgb, bits)
        np.testing.assert_allclose(load_image(folder / "i.png", 1)[:, :, 0], grey, atol=0.003)
        rgba = load_image(folder / "i.png", 4)
        np.testing.assert_allclose(rgba[:, :, :3], rgb, atol=1e-6)
        assert (rgba[:, :, 3] == 1).all()
        save_image(folder / "g.png", rgb[:, :, 0], bits)
        for channel in range(3):
            seen = load_image(folder / "g.png")[:, :, channel]
            np.testing.assert_allclose(seen, rgb[:, :, 0], atol=1e-6)


def test_masks_and_values_out_of_range(folder):
    save_image(folder / "m.png", np.array([[True, False]]))
    np.testing.assert_array_equal(load_image(folder / "m.png", 1)[:, :, 0], [[1, 0]])
    save_image(folder / "m.png", np.array([[-3.0, 7.0]]))
    np.testing.assert_array_equal(load_image(folder / "m.png", 1)[:, :, 0], [[0, 1]])


def test_jpeg_bmp_and_palette_pictures(folder):
    smooth = np.linspace(0, 1, 32 * 32 * 3).reshape(32, 32, 3)
    save_image(folder / "i.jpg", smooth)
    np.testing.assert_allclose(load_image(folder / "i.jpg"), smooth, atol=0.03)
    pixels = (smooth * 255).astype(np.uint8)
    Image.fromarray(pixels).save(folder / "i.bmp")
    np.testing.assert_array_equal(load_image(folder / "i.bmp"), (pixels / 255).astype(np.float32))
    Image.fromarray(pixels).quantize(16).save(folder / "p.png")
    assert load_image(folder / "p.png").shape == (32, 32, 3)


def filtered(levels, kinds):
    """Encode 16-bit RGB with the given filter of each row, by the definition, byte by byte."""
    rows = levels.astype(">u2").reshape(len(levels), -1).view(np.uint8).astype(int)
    out = bytearray()
    for y, kind in enumerate(kinds):
        out.append(kind)
        for x in range(rows.shape[1]):
            left = rows[y, x - 6] if x >= 6 else 0
            up = rows[y - 1, x] if y else 0
            corner = rows[y - 1, x - 6] if y and x >= 6 else 0
            guess = left + up - corner
            near = min((left, up, corner), key=lambda near: abs(guess - near))
            predicted = (0, left, up, (left + up) // 2, near)[kind]
            out.append((rows[y, x] - predicted) % 256)
    return bytes(out)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kinds=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    width=st.integers(1, 6),
)
def test_all_filters_are_undone(seed, kinds, width):
    levels = np.random.default_rng(seed).integers(0, 2**16, (len(kinds), width, 3))
    plain = png16.encode(levels.astype(np.uint16))
    start = plain.index(b"IDAT") - 4
    packed = zlib.compress(filtered(levels, kinds))
    chunk = len(packed).to_bytes(4, "big") + b"IDAT" + packed
    chunk += zlib.crc32(b"IDAT" + packed).to_bytes(4, "big")
    data = plain[:start] + chunk + plain[-12:]
    np.testing.assert_array_equal(png16.decode(data, "x"), levels)


def test_what_cannot_be_saved(folder):
    image = np.zeros((2, 2, 3))
    for path, array, bits, message in (
        ("i.gif", image, 8, "ending in .png or .jpg"),
        ("i.jpg", image, 16, "JPEG holds 8 bits"),
        ("i.png", image, 12, "bits must be 8 or 16"),
        ("i.png", np.full((2, 2), np.nan), 8, "NaN"),
        ("i.png", np.zeros((2, 2, 2)), 8, "shape"),
        ("i.png", np.zeros((0, 2, 3)), 8, "shape"),
    ):
        with pytest.raises(OutputError, match=message):
            save_image(folder / path, array, bits)
    save_image(folder / "i.png", image)
    with pytest.raises(SettingsError, match="channels"):
        load_image(folder / "i.png", 2)


def test_an_interlaced_deep_png_says_what_to_do(folder):
    save_image(folder / "i.png", np.zeros((2, 2, 3)), 16)
    data = bytearray((folder / "i.png").read_bytes())
    data[28] = 1
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    (folder / "i.png").write_bytes(bytes(data))
    with pytest.raises(FileFormatError, match=r"not interlaced"):
        load_image(folder / "i.png")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16])
def test_exif_orientation_is_obeyed_as_viewers_do(folder, orientation, bits):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(pixels)
    picture.save(folder / "e.png", exif=exif)
    if bits == 16:
        chunk = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
        chunk = (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
        data = png16.encode(pixels.astype(np.uint16) * 257)
        (folder / "e.png").write_bytes(data[:-12] + chunk + data[-12:])
    picture.getexif()[0x0112] = orientation
    shown = np.asarray(ImageOps.exif_transpose(picture))
    np.testing.assert_array_equal(np.rint(load_image(folder / "e.png") * 255), shown)
    stored = decode_image((folder / "e.png").read_bytes(), "e.png", upright=False)
    np.testing.assert_array_equal(np.rint(stored * 255), pixels)


def test_an_exif_block_that_cannot_be_read_turns_nothing(folder):
    pixels = np.zeros((3, 5, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "e.png", exif=b"Exif\0\0MM\0*\0\0\xff\xff")
    assert load_image(folder / "e.png").shape == (3, 5, 3)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "TGA"])
def test_the_size_is_checked_before_anything_is_decoded(folder, kind, monkeypatch):
    path = folder / f"big.{kind.lower()}"
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(path, kind)
    assert load_image(path).shape == (20, 30, 3)
    monkeypatch.setattr(decoding, "MOST_PIXELS", 599)
    with pytest.raises(FileFormatError, match=r"has 30 x 20 pixels, more than the 599"):
        load_image(path)


def test_a_deep_picture_of_impossible_size_is_refused(folder):
    data = bytearray(png16.encode(np.zeros((2, 2, 3), np.uint16)))
    data[16:24] = (2**15).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    (folder / "big.png").write_bytes(data)
    with pytest.raises(FileFormatError, match="has 32768 x 32768 pixels of 16 bits"):
        load_image(folder / "big.png")


def test_webp_sizes_are_those_of_the_decoder(folder):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    for options in ({"lossless": True}, {"quality": 50}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}):
        Image.fromarray(pixels).save(folder / "a.webp", **options)
        assert decoding._webp_size((folder / "a.webp").read_bytes()) == (30, 20)
