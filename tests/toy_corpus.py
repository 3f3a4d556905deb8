"""A corpus that another package would add: a module and an entry point in a folder on the path, nothing else."""

from pathlib import Path

_MODULE = """
from model.data.corpora.base import Corpus, CorpusInfo
from model.types import Modality


class Beeps(Corpus):
    info = CorpusInfo(
        name="beeps", title="Beeps", modality=Modality.SPEECH, licence="CC0", citation="nobody", origin="a test",
        speakers=2,
    )

    def location(self):
        return self.home

    def read(self, split, progress):
        import numpy as np

        from model.data.samples import Samples

        names = [f"{name} {split} {number}" for name in ("low", "high") for number in range(20)]
        labels = np.arange(40) % 10
        features = np.random.default_rng(len(split)).random((40, 100, 80), np.float32)
        features += labels[:, None, None]
        speakers = tuple(name.split()[0] for name in names)
        return Samples("beeps", Modality.SPEECH, features, labels, tuple(names), speakers,
                       tuple(names))
"""


def install(folder: Path) -> None:
    """Two corpora in a folder for ``sys.path``: ``beeps``, and ``broken``, whose module can't be imported."""
    package = folder / "toys-1.0.dist-info"
    package.mkdir(parents=True)
    (folder / "toy_beeps.py").write_text(_MODULE, "utf-8")
    (folder / "toy_broken.py").write_text("import no_such_module\n", "utf-8")
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n", "utf-8")
    points = "[modinv.corpora]\nbeeps = toy_beeps:Beeps\nbroken = toy_broken:Broken\n"
    (package / "entry_points.txt").write_text(points, "utf-8")
