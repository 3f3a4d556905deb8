"""Names that people, or attackers, chose: no export takes them for formulas, markup or files' ends."""

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from exhibits import evaluation, features, report

from model.evaluation.store import Evaluation
from model.export import drawing, embeddings, figures, tables, words
from model.export import report as page

FORMULAS = ["=1+1", "+1", "-0.5", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", '=HYPERLINK("http://x","y")']
MARKUP = [
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    r"\input{x} $\frac{$ 50% a_b #1 ~ ^ {",
    "\x00\x1b[31m half a character \udc80",
]
NAMES = [*FORMULAS, *MARKUP, "a|b", "a\nb", "*a* _b_ `c` [d](e) ![f](g)", "a &lt; b", r"a\1\g<0>\d"]


def rows(name):
    return [(name, report())]


@pytest.mark.parametrize("name", FORMULAS)
def test_words_in_a_csv_are_no_formulas(tmp_path, name):
    path = tmp_path / "x.csv"
    tables.save(tables.comparison(rows(name)), path)
    (record,) = csv.DictReader(io.StringIO(path.read_bytes().decode(), newline=""))
    assert record["model"] == f"'{name.strip()}"


def test_numbers_in_a_csv_stay_numbers_and_other_words_stay_themselves():
    found = report()
    found = replace(found, image=replace(found.image, mean_kl=-0.5), setting={**found.setting, "speech": "=1", "=x": 1})
    text = tables.comparison([("seven - a", found)]).csv()
    (record,) = csv.DictReader(io.StringIO(text))
    assert record["model"] == "seven - a"
    assert record["mean_kl_image"] == "-0.5"
    assert record["speech"] == "'=1"
    assert record["'=x"] == "1"


def test_words_in_the_projectors_table_are_no_formulas_and_end_no_row(tmp_path):
    plain = evaluation()
    sources = ["=1\n2\t3"] * len(plain.items())
    judged = Evaluation(plain.report, plain._arrays, {**plain._header, "sources": sources})
    embeddings.projector(judged, tmp_path / "projector")
    (table,) = (tmp_path / "projector").rglob("metadata.tsv")
    lines = table.read_text("utf-8").splitlines()
    assert lines[1].split("\t") == ["image", "0", "", "'=1 2 3"]
    assert len(lines) == 1 + len(sources)
    assert all(line.count("\t") == 3 for line in lines)


def unescaped(cell):
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", cell)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_a_cell_of_markdown(name):
    head, rule, *_ = tables.comparison(rows(name)).markdown().splitlines()
    cells = re.split(r"(?<!\\)\|", head)
    assert len(cells) == rule.count("|") + 1
    assert unescaped(cells[2].strip()) == words.one_line(name)
    assert not re.search(r"(?<!\\)[<>*`\[\]$]", head)


def test_a_name_in_the_middle_of_words_is_not_escaped_for_nothing():
    assert tables.comparison(rows("run_1 of λ_IG")).markdown().startswith("|  | run_1 of λ_IG |")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_a_cell_of_latex(name):
    text = tables.comparison(rows(name)).latex()
    (head,) = re.findall(r"\\toprule\n(.*)\n", text)
    assert len(re.findall(r"(?<!\\)&", head)) == 2
    assert "\\input" not in text
    assert not re.search(r"(?<!\\)[#~^<>|]", text.replace("\\textasciitilde", "").replace("\\textasciicircum", ""))
    assert text.count("{") - text.count("\\{") == text.count("}") - text.count("\\}")


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.label = [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.label = self.label or dict(attributes).get("aria-label")
        self.found.append((tag, tuple(name for name, _ in attributes)))


def test_names_are_words_in_the_report(tmp_path, monkeypatch):
    monkeypatch.setattr(Evaluation, "features", features)
    path = tmp_path / "x.html"
    page.save([(" ".join(MARKUP), evaluation())], path)
    found = Tags(path.read_bytes().decode()).found
    assert "script" not in {tag for tag, _ in found}
    assert {attributes for tag, attributes in found if tag == "img"} == {("src", "alt")}


def test_names_are_words_in_a_figure(tmp_path):
    path = tmp_path / "x.svg"
    drawing.save(figures.figure2([(name, evaluation()) for name in MARKUP]), path)
    text = "".join(ElementTree.fromstring(path.read_bytes()).itertext())
    assert "<script>alert(1)</script>" in text
    assert r"\input{x} $\frac{$ 50% a_b #1 ~ ^ {" in text


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_in_a_page_is_called_as_it_should(name):
    element = Tags(drawing.inline_svg(drawing.blank(1, 1), name))
    assert element.label == name
