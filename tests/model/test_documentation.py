"""What the documentation says is there is there, and its examples run."""

import re
import sys
import tomllib

import numpy as np
import pytest
import soundfile
import torch
from guide import ROOT, examples
from tiny import small

from model import systems
from model.data import corpora
from model.systems.base import Batch

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Installs a package of one module with what its pyproject.toml announces."""

    def install(name, code, announced):
        (tmp_path / f"{name}.py").write_text(code)
        information = tmp_path / f"{name}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        for group, entries in tomllib.loads(announced)["project"]["entry-points"].items():
            lines = [f"[{group}]", *(f"{entry} = {target}" for entry, target in entries.items())]
            (information / "entry_points.txt").write_text("\n".join(lines))
        monkeypatch.syspath_prepend(tmp_path)

    yield install
    for name in [name for name in sys.modules if name.startswith("my_")]:
        del sys.modules[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(page):
    text = page.read_text("utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    missing = [link for link in links if link and not (page.parent / link).exists()]
    paths = re.findall(r"`((?:model|modinv_app|scripts|tests|docs|assets)/[\w/.-]*)`", text)
    missing += [path for path in paths if not (ROOT / path).exists()]
    assert not missing


def test_the_example_of_an_objective_is_right_by_hand():
    names: dict = {}
    exec(examples("python")["Add an objective"][0], names)
    images = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
    speech = torch.tensor([[2.0, -4.0], [-2.0, 4.0]])
    # Standardised, the columns are (1, -1) and (1, -1), against (1, -1) and (-1, 1): correlations 1, -1 in both rows.
    expected = torch.tensor(2 * 0.0 + (1 + 1) ** 2 + 0.1 * (1 + 1))
    torch.testing.assert_close(names["barlow_twins"](images, speech, weight=0.1), expected)


def test_the_example_of_a_system_is_found_and_has_a_loss(installed):
    installed("my_systems", examples("python")["Add a system"][0], examples("toml")["Add a system"][0])
    systems.entry_points.cache_clear()
    try:
        system = systems.build(small(system="distance"))
        batch = Batch(torch.rand(3, 1, 28, 28), torch.rand(3, 1, 100, 80), torch.arange(3))
        loss = system.loss(batch, 0, torch.Generator())
    finally:
        systems.entry_points.cache_clear()
    assert set(loss.values()) == {"total", "distance"} == {term.name for term in system.terms}


def test_the_example_of_a_corpus_is_found_and_has_its_splits(installed, tmp_path):
    installed("my_corpora", examples("python")["Add a corpus"][0], examples("toml")["Add a corpus"][0])
    (tmp_path / "mine").mkdir()
    for take in range(4):
        tone = 0.5 * np.sin(np.arange(4000) * (1 + take / 10))
        soundfile.write(tmp_path / "mine" / f"7_me_{take}.wav", tone, 8000)
    corpora._found.cache_clear()
    try:
        corpus = corpora.find("mine")(tmp_path)
    finally:
        corpora._found.cache_clear()
    sizes = {split: len(corpus.load(split)) for split in (*corpus.info.splits, corpora.ALL_OF_TRAINING)}
    assert sizes == {"train": 2, "validation": 1, "test": 1, corpora.ALL_OF_TRAINING: 3}
    samples = corpus.load("test")
    assert (samples.labels.tolist(), samples.speakers) == ([7], ("me",))
    assert samples.features.shape == (1, 100, 80)
