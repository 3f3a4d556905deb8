"""Any picture of a digit becomes what MNIST would have made of it."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from model.data.images import UnusablePicture, normalise_drawing, read_picture
from model.data.segmentation import normalise_digit

TEST_IMAGES = Path(__file__).parents[2] / "assets" / "mnist" / "t10k-images-idx3-ubyte.gz"


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """The first 60 of MNIST's test digits."""
    with gzip.open(TEST_IMAGES) as file:
        return np.frombuffer(file.read(16 + 60 * 784)[16:], np.uint8).reshape(-1, 28, 28)


def likeness(seen: np.ndarray, digit: np.ndarray) -> float:
    """Correlation of two pictures where they fit best: an edge found differently may shift one by a pixel."""
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return max(float(np.corrcoef(np.roll(seen, shift, (0, 1)).ravel(), digit.ravel())[0, 1]) for shift in shifts)


def enlarged(digit: np.ndarray, times: int) -> np.ndarray:
    picture = Image.fromarray(digit)
    return np.asarray(picture.resize((28 * times, 28 * times), Image.Resampling.BICUBIC))


def photographed(digit: np.ndarray, *, table: bool = False) -> bytes:
    """A JPEG of the digit in pencil on paper: light from one side, a shadow across, dust, noise, blur."""
    random = np.random.default_rng(int(digit.sum()))
    ink = np.zeros((600, 800), np.float32)
    ink[120:400, 200:480] = enlarged(digit, 10) / 255
    for row, column in random.integers(30, 560, (4, 2)):
        ink[row : row + 3, column : column + 3] = 0.9
    down, right = np.mgrid[:600, :800] / 800
    light = (0.55 + 0.35 * right - 0.2 * down) * np.where(right + down / 2 < 0.45, 0.75, 1)
    picture = light * (1 - 0.75 * ink)
    if table:
        picture[(right < 0.06) | (down > 0.7)] = 0.2
    picture += random.normal(0, 0.03, picture.shape)
    photo = Image.fromarray((255 * picture.clip(0, 1)).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))
    return encoded(photo, "JPEG", quality=60)


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def line(points: list[tuple[int, int]], width: int, size: tuple[int, int] = (300, 300)) -> np.ndarray:
    """Dark ink on light paper."""
    picture = Image.new("L", size, 235)
    ImageDraw.Draw(picture).line(points, fill=30, width=width, joint="curve")
    return np.asarray(picture)


def test_a_digit_of_mnist_stays_as_it_is(digits: np.ndarray) -> None:
    for digit in digits:
        for picture in (digit, digit / 255, 255 - digit, np.pad(digit, ((50, 10), (3, 80)))):
            seen = normalise_digit(picture)
            assert seen.shape == (28, 28)
            assert seen.dtype == np.float32
            assert np.abs(seen - digit / 255).mean() < 0.01


@pytest.mark.parametrize("light_ink", [True, False])
def test_an_enlarged_digit_becomes_itself_again(digits: np.ndarray, light_ink: bool) -> None:
    found = [
        likeness(normalise_digit(large if light_ink else 255 - large), digit)
        for digit, large in ((digit, enlarged(digit, 10)) for digit in digits)
    ]
    assert np.mean(found) > 0.95
    assert min(found) > 0.8


@pytest.mark.parametrize("table", [False, True])
def test_a_photo_gives_the_digit_without_shadow_dust_and_table(digits: np.ndarray, table: bool) -> None:
    found = [likeness(normalise_digit(read_picture(photographed(digit, table=table))), digit) for digit in digits[:20]]
    assert np.mean(found) > 0.93
    assert min(found) > 0.8


def test_a_one_is_not_stretched() -> None:
    seen = normalise_digit(line([(150, 40), (150, 260)], 26))
    rows, columns = np.flatnonzero((seen > 0.2).any(axis=1)), np.flatnonzero((seen > 0.2).any(axis=0))
    assert np.ptp(rows) + 1 == 20
    assert np.ptp(columns) + 1 in (2, 3, 4)


def test_the_centre_of_mass_lies_in_the_middle() -> None:
    seen = normalise_digit(line([(60, 60), (240, 60), (240, 80), (110, 250)], 24))
    total = seen.sum()
    down, right = np.mgrid[:28, :28]
    assert abs((seen * down).sum() / total - 14) <= 0.5
    assert abs((seen * right).sum() / total - 14) <= 0.5


def test_where_and_how_large_it_was_written_makes_no_difference() -> None:
    large = normalise_digit(line([(60, 40), (240, 40), (110, 260)], 24))
    small = normalise_digit(line([(215, 210), (260, 210), (228, 265)], 6))
    assert likeness(small, large) > 0.95


@pytest.mark.parametrize("width", [3, 6, 12])
def test_a_ballpoint_is_as_visible_as_a_pen(width: int) -> None:
    picture = line([(300, 300), (600, 310), (420, 800)], width, (900, 1200))
    seen = normalise_digit(picture)
    pen = normalise_digit(line([(300, 300), (600, 310), (420, 800)], 55, (900, 1200)))
    assert 0.7 < seen.sum() / pen.sum() < 1.3


@pytest.mark.parametrize("picture", [np.zeros((28, 28)), np.full((300, 200), 200, np.uint8)])
def test_a_blank_picture_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(UnusablePicture, match="No digit"):
        normalise_digit(picture)


def test_noise_alone_is_refused() -> None:
    noise = np.random.default_rng(0).normal(200, 3, (200, 200)).astype(np.uint8)
    with pytest.raises(UnusablePicture, match="No digit"):
        normalise_digit(noise)


@pytest.mark.parametrize("array", [np.zeros((28, 28, 3), np.uint8), np.zeros((1, 9)), np.full((9, 9), np.nan)])
def test_what_is_no_grey_picture_is_refused(array: np.ndarray) -> None:
    with pytest.raises(UnusablePicture):
        normalise_digit(array)


def test_one_pixel_is_ink_enough() -> None:
    dot = np.zeros((50, 50), np.uint8)
    dot[10, 10] = 255
    assert normalise_digit(dot).max() == 1


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_common_format_is_read(form: str, tmp_path: Path) -> None:
    path = tmp_path / "seven"
    path.write_bytes(encoded(Image.fromarray(line([(60, 40), (240, 40), (110, 260)], 24)), form))
    for source in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        grey = read_picture(source)
        assert grey.dtype == np.uint8
        assert grey.shape == (300, 300)
        assert grey[40, 150] < 60
        assert grey[280, 280] > 200


def test_transparent_parts_are_white_paper() -> None:
    picture = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    ImageDraw.Draw(picture).line([(10, 10), (30, 30)], fill=(0, 0, 0, 255), width=4)
    grey = read_picture(encoded(picture, "PNG"))
    assert grey[0, 39] == 255
    assert grey[20, 20] == 0


def test_sixteen_bits_keep_their_range() -> None:
    grey = read_picture(encoded(Image.fromarray(np.linspace(0, 65535, 400).astype(np.uint16).reshape(20, 20)), "PNG"))
    assert grey.min() == 0
    assert grey.max() == 255
    assert np.abs(grey.ravel() - np.linspace(0, 255, 400)).max() <= 1


def test_a_photo_is_turned_as_the_camera_was_held() -> None:
    picture = Image.new("L", (40, 20), 255)
    picture.putpixel((0, 0), 0)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    assert read_picture(encoded(picture, "PNG", exif=exif)).shape == (40, 20)


def test_a_large_photo_is_scaled_down() -> None:
    grey = read_picture(encoded(Image.new("L", (5000, 3000), 200), "JPEG"))
    assert 1000 < max(grey.shape) <= 1600
    assert grey.shape[1] / grey.shape[0] == pytest.approx(5 / 3, rel=0.01)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "picture"),
        (encoded(Image.effect_noise((200, 200), 50), "PNG")[:9000], "damaged"),
        (encoded(Image.new("1", (12000, 12000)), "PNG"), "too many"),
    ],
)
def test_a_bad_file_is_refused_with_a_reason(data: bytes, words: str) -> None:
    with pytest.raises(UnusablePicture, match=words):
        read_picture(data)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(UnusablePicture, match="cannot be opened"):
            read_picture(path)


@pytest.mark.parametrize("points", [[(60, 60), (240, 60), (240, 80), (110, 250)], [(150, 40), (150, 260)]])
def test_ink_on_nothing_is_seen_like_ink_on_paper(points: list[tuple[int, int]]) -> None:
    drawing = 235 - line(points, 24)
    np.testing.assert_allclose(normalise_digit(drawing), normalise_digit(255 - drawing), atol=1e-5)


def test_a_drawing_is_seen_like_a_picture_of_it(digits: np.ndarray) -> None:
    for digit in digits:
        ink = np.where(enlarged(digit, 4) > 127, 255, 0).astype(np.uint8)
        assert likeness(normalise_drawing(ink), normalise_digit(ink)) > 0.97


def test_a_stroke_far_from_a_drawn_digit_is_left_out() -> None:
    digit = 235 - line([(60, 60), (140, 60), (140, 80), (90, 150)], 14)
    both = digit.copy()
    both[270:280, 270:280] = 205
    assert likeness(normalise_drawing(both), normalise_drawing(digit)) > 0.97
