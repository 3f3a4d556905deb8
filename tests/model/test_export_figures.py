"""Figures, opened again as a program that gets them would: what they show, and that nothing else decides it."""

import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from exhibits import IMAGES, MAPPED, evaluation, report, sweep
from fresh_python import imported_by
from PIL import Image

from model.evaluation.paper import PAPER_TABLE
from model.evaluation.sweep_results import Sampled
from model.export import drawing, figures
from model.palette import DIGITS_ON_LIGHT
from model.recipes.recipe import FAST
from model.training.config import TrainingConfig

SVG = "{http://www.w3.org/2000/svg}"


def run(name, values):
    """Something that can be drawn as a run: by step, its values."""
    points = [SimpleNamespace(step=step, values=known) for step, known in values.items()]
    info = SimpleNamespace(name=name, plan=TrainingConfig(FAST))
    return SimpleNamespace(info=lambda: info, points=lambda: points)


def two_runs():
    return [
        run("first $1", {1: {"total": 8.0, "similarity": 7.0}, 40: {"total": 2.0, "quick_purity": 0.9}}),
        run("not begun", {}),
    ]


FIGURES = {
    "figure2": lambda: figures.figure2(
        [("fast, λ_IG = 2.15e-2", evaluation()), ("costs $5 & <more>", evaluation(0.0))]
    ),
    "figure3": lambda: figures.figure3(sweep()),
    "confusions": lambda: figures.confusions(report()),
    "curves": lambda: figures.curves(two_runs()),
}


def written(figure, tmp_path, suffix):
    path = tmp_path / "new" / f"figure.{suffix}"
    drawing.save(figure, path)
    return path


def drawn(figure, tmp_path):
    return ET.parse(written(figure, tmp_path, "svg")).getroot()


def words(root):
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def marks(root):
    """How many points have each colour."""
    drawn_as = (mark for mark in root.iter() if mark.tag in (f"{SVG}use", f"{SVG}path"))
    colours = (re.search(r"fill: (#\w+)", mark.get("style", "")) for mark in drawn_as)
    return Counter(found[1] for found in colours if found)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_opens_in_every_format(tmp_path, name):
    figure = FIGURES[name]()
    with Image.open(written(figure, tmp_path, "png")) as picture:
        shades = np.asarray(picture.convert("L"))
        wide, high = figure.get_size_inches()
        assert picture.size == (round(200 * wide), round(200 * high))
        assert 0.02 < (shades < 250).mean() < 0.6, "neither empty nor a blot"
        assert shades[[0, -1]].min() > 250, "nothing is cut off above or below"
        assert shades[:, [0, -1]].min() > 250, "or at the sides"
    assert drawn(figure, tmp_path).tag == f"{SVG}svg"
    content = written(figure, tmp_path, "pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert content.rstrip().endswith(b"%%EOF")


@pytest.mark.parametrize("suffix", drawing.FORMATS)
def test_the_same_figure_gives_the_same_file_whatever_style_the_user_has(tmp_path, suffix):
    first = written(FIGURES["figure3"](), tmp_path, suffix).read_bytes()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "lines.linewidth": 9}):
        assert written(FIGURES["figure3"](), tmp_path, suffix).read_bytes() == first
        assert mpl.rcParams["font.size"] == 30, "the user's style is theirs again"


def test_another_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"png, svg, pdf, not as 'figure\.gif'"):
        written(FIGURES["figure3"](), tmp_path, "gif")
    assert not list(tmp_path.iterdir())


def test_figure_2_shows_every_item_in_its_panel_and_in_both(tmp_path):
    judged = evaluation()
    labels = Counter(judged.items()[place].label for place in MAPPED)
    root = drawn(figures.figure2([("one", judged)]), tmp_path)
    in_legend = 1  # each digit's colour
    assert {digit: marks(root)[colour] for digit, colour in enumerate(DIGITS_ON_LIGHT)} == {
        digit: 2 * labels[digit] + in_legend for digit in range(10)
    }
    images, speech, both = figures.figure2([("one", judged)]).axes
    counts = [[len(points.get_offsets()) for points in axes.collections] for axes in (images, speech, both)]
    shown = sum(place < IMAGES for place in MAPPED)
    assert counts == [[shown, 0], [0, len(MAPPED) - shown], [shown, len(MAPPED) - shown]]
    assert images.get_xlim() == speech.get_xlim() == both.get_xlim(), "one map, not three"


def test_figure_2_has_a_row_for_every_model_with_its_name_and_numbers(tmp_path):
    found = " ".join(words(drawn(FIGURES["figure2"](), tmp_path)))
    assert "costs $5 & <more>: purity 0.980, modality SVM 0.550" in re.sub(r"\s+", " ", found)
    assert [found.count(title) for title in ("Images", "Speech", "Both")] == [2, 2, 2]
    with pytest.raises(ValueError, match="at least one model"):
        figures.figure2([])


def test_figure_3_draws_means_and_ranges_of_seeds_over_the_papers_curve():
    axes = figures.figure3(sweep()).axes[0]
    curves = [np.column_stack(line.get_data()) for line in axes.lines]
    zero = axes.get_xticks()[0]
    assert axes.get_xticklabels()[0].get_text() == "0"
    named = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "measured here, mean and range of up to 2 seeds" in named
    for column, means, spread in ((0, [0.51, 0.98, 0.6], (0.5, 0.52)), (1, [0.96, 0.54, 0.5], (0.94, 0.98))):
        places = [zero, 2.15e-2, 0.5]
        assert any(curve.shape == (3, 2) and np.allclose(curve, np.column_stack([places, means])) for curve in curves)
        paper = [(known or zero, PAPER_TABLE[known][column]) for known in sorted(PAPER_TABLE)]
        assert any(curve.shape == (8, 2) and np.allclose(curve, paper) for curve in curves)
        band = axes.collections[2 * column].get_paths()[0].vertices
        at_zero = band[np.isclose(band[:, 0], zero), 1]
        assert (at_zero.min(), at_zero.max()) == pytest.approx(spread)


def below_figure_3(rows):
    """Words and curves of the second panel."""
    axes = figures.figure3(rows).axes[1]
    curves = [np.column_stack(line.get_data()) for line in axes.lines if len(line.get_data()[0]) > 2]
    return [text.get_text() for text in axes.get_legend().get_texts()], curves


def test_below_figure_3_are_the_modality_gap_and_p_at_1():
    named, curves = below_figure_3(sweep())
    assert named[0] == "Modality gap, share of the variance of means"
    gap, to_speech, to_image, by_samples = (curve[:, 1] for curve in curves)
    assert gap == pytest.approx([0.125] * 3)
    assert to_speech == pytest.approx([0.975] * 3)
    assert to_image == pytest.approx([0.95] * 3)
    assert by_samples == pytest.approx([0.8125] * 3)
    assert named[-1] == "P@1 by single samples, both directions"


def test_of_earlier_versions_figure_3_has_the_gap_of_samples_or_says_that_it_is_unknown():
    old = [replace(row, report=replace(row.report, modality_gap=None)) for row in sweep()]
    named, curves = below_figure_3(old)
    assert named[0] == "Modality gap: not measured in this sweep"
    assert len(curves) == 3, "of P@1"
    mapped = [replace(row, sampled=Sampled(0.4, 0.9) if row.seed == 0 else None) for row in old]
    named, curves = below_figure_3(mapped)
    assert named[0] == "Modality gap, share of the variance of single samples, one model each"
    assert curves[0][:, 1] == pytest.approx([0.4] * 3)
    named, curves = below_figure_3([*mapped[:-1], sweep()[-1]])
    assert "single samples" in named[0], "never both definitions in one curve"
    assert len(curves) == 3


def test_confusions_tell_the_counts_of_both_directions(tmp_path):
    found = Counter(words(drawn(FIGURES["confusions"](), tmp_path)))
    assert found["Image to speech: 97.5% right"] == 1
    assert found["Speech to image: 95.0% right"] == 1
    # Ten cells of 4 and ten of 2, but for the two mistakes; digits of both axes of both panels are words, too.
    assert [found[count] for count in ("4", "3", "2", "1")] == [4 + 9, 4 + 1, 4 + 9, 4 + 3]


def test_curves_hold_what_is_known_of_each_run(tmp_path):
    figure = FIGURES["curves"]()
    total, similarity, _, purity, *_ = figure.axes
    assert np.array_equal(total.lines[0].get_data(), [[1, 40], [8, 2]])
    assert np.array_equal(similarity.lines[0].get_data(), [[1], [7]])
    assert np.array_equal(purity.lines[0].get_data(), [[40], [0.9]])
    found = words(drawn(figure, tmp_path))
    assert {"first $1", "not begun", "Purity, quick estimate"} <= set(found)


def test_nothing_heavy_is_imported_before_something_is_drawn():
    found = imported_by("from model.export import drawing, embeddings, figures, report, tables")
    assert not found & {"torch", "matplotlib", "sklearn", "pyarrow", "PySide6"}


def test_no_figure_belongs_to_pyplot():
    FIGURES["figure2"]()
    assert "matplotlib.pyplot" not in sys.modules
