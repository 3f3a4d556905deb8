"""The report, read as a browser does: whole, alone, and with everything in it."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from exhibits import evaluation, features, sweep
from PIL import Image

from model.data.corpora import MissingData
from model.evaluation.store import Evaluation
from model.export import report

EMPTY = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """Elements, their attributes and all words; complains of elements that do not close."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in EMPTY:
            self.open.append(tag)
        elif tag == "br":
            self.words.append(" ")

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words))

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def corpora(monkeypatch):
    monkeypatch.setattr(Evaluation, "features", features)


def two_models():
    return [("fast, λ_IG = 2.15e-2", evaluation()), ("<script>alert('λ')</script> & Co", evaluation(0.0))]


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """The report on two models and a sweep, as it is written."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Evaluation, "features", features)
        report.save(two_models(), path, sweep())
    return path.read_text("utf-8")


def test_it_stands_alone(content):
    page = Page(content)
    assert not page.of("script")
    assert not page.of("link")
    addresses = [
        value for _, attributes in page.elements for name, value in attributes.items() if name in ("src", "xlink:href")
    ]
    assert addresses
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert "@import" not in content
    assert "url(http" not in content


def test_names_are_unique_and_what_is_referred_to_is_there(content):
    page = Page(content)
    by_name = {}
    for tag, attributes in page.elements:
        if "id" in attributes:
            # Two figures may bring the same shape, named by its content.
            assert by_name.setdefault(attributes["id"], (tag, attributes.get("d"))) == (tag, attributes.get("d"))
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', content)) == set(by_name)


def test_it_tells_everything_of_every_model(content):
    page = Page(content)
    assert len(page.of("svg")) == 2 + 2, "Figures 2 and 3, and confusions of both"
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.of("svg"))
    for words in (
        "Evaluation of 2 models",
        "<script>alert('λ')</script> & Co",
        "0.980 ± 0.025",
        "the paper, λIG = 2.15e-2",
        "0.510 (0.500–0.520)",  # the sweep
        "jackson0.8750.875",
        "-310.5 to -300.2",
        "Image to speech, AUROC 0.700, 1 wrong match",
        "Speech to image",
        "recipe fast, λIG = 2.15e-2, 1,600 steps on mnist, fsdd and voices, seed 0",
        "betas 0.95 and 0.999, bfloat16 yes",
        "torch 2.6.0",
        "numpy 1.26.0",
    ):
        assert words.replace(" ", "") in page.text.replace(" ", ""), words


@pytest.mark.usefixtures("corpora")
def test_mistakes_come_with_pictures_worst_first():
    page = Page(report.page([("one", evaluation())]))
    text = page.text
    assert "Worst mistakes" in text
    worst, next_ = (
        text.index(f"{query}, a {digit}, found {match}")
        for query, digit, match in (
            ("FSDD theo, take 5", 5, "MNIST test 6, a 6"),
            ("MNIST test 3", 3, "FSDD theo, take 1, a 1"),
        )
    )
    assert worst < next_
    pictures = []
    for image in page.of("img"):
        content = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
        pictures.append(np.asarray(Image.open(io.BytesIO(content))))
    assert [picture.shape for picture in pictures] == [(80, 100), (28, 28), (28, 28), (80, 100)]
    assert pictures[2].max() == round(255 * 0.03), "the third image, as bright as its index"


def test_without_the_corpora_mistakes_are_told_in_words(monkeypatch):
    def missing(*_):
        raise MissingData("It is gone.")

    monkeypatch.setattr(Evaluation, "features", missing)
    page = Page(report.page([("one", evaluation())]))
    assert not page.of("img")
    assert "FSDD theo, take 5, a 5," in page.text


def test_every_colour_has_a_light_and_a_dark_form(content):
    light, dark = re.findall(r":root \{([^}]*)\}", content)
    used = set(re.findall(r"var\(--([\w-]+)\)", content)) - {"share"}
    assert {"ink", "ground", "digit-0", "digit-9"} <= used
    for theme in (light, dark):
        assert used <= set(re.findall(r"--([\w-]+):", theme))
    svg = content[content.index("<svg") : content.rindex("</svg>")]
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= {"#fdfdfd"}, "no colour of a figure stays light on dark ground"


def test_it_is_html_or_nothing(tmp_path):
    with pytest.raises(ValueError, match="html, not as"):
        report.save(two_models(), tmp_path / "report.pdf")
    with pytest.raises(ValueError, match="at least one model"):
        report.page([])
