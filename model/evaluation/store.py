"""Evaluations on disk, kept by model and protocol, with the posteriors and the map behind their figures.

Plain numpy: the window looks at an evaluation without torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from model import locations
from model.checkpoints import FORMAT, UnusableCheckpoint, read, write_atomically, write_bytes_atomically
from model.data import curation
from model.evaluation.posteriors import Posteriors
from model.evaluation.protocol import EvaluationProtocol
from model.evaluation.report import Report
from model.retrieval.gallery import make_items
from model.types import FloatArray, Item, Modality

if TYPE_CHECKING:
    from model.data.samples import Samples

_REPORT, _POSTERIORS = "report.json", "posteriors.safetensors"
FILES = (_POSTERIORS, _REPORT)
"""The files of an evaluation, in the order in which they are written."""
_MODEL = Path(__file__).parents[1]
EVALUATION_CODE = (
    _MODEL / "training" / "ancestry.py",
    *(file for folder in ("evaluation", "networks", "systems") for file in (_MODEL / folder).glob("*.py")),
)
"""The files whose changes make evaluations obsolete."""


class Mistake(NamedTuple):
    """A query whose nearest match shows another digit: places among the items, and how far off the match is.

    ``margin`` is by how much the wrong match's score beats that of the best right one; infinite where there is none.
    """

    query: int
    match: int
    margin: float


class Evaluation:
    """One model judged by one protocol: its report, and the test inputs behind the figures.

    Parameters
    ----------
    report
        The figures.
    arrays
        ``means`` and ``log_variances``, ``(n, z)`` of any floating type; ``labels``, ``nearest`` and ``margins``,
        ``(n,)`` (see `model.evaluation.retrieval.Matches`, but ``nearest`` counts all items); ``figure2/items`` and
        ``figure2/coordinates``, ``(m,)`` and ``(m, 2)``. Images come first.
    header
        ``images``, how many there are; ``sources`` and ``speakers``, ``n`` strings each; ``keys`` of the utterances.

    Attributes
    ----------
    folder
        Where it lies on disk, ``None`` as long as it doesn't.
    """

    def __init__(self, report: Report, arrays: Mapping[str, npt.NDArray[Any]], header: Mapping[str, Any]) -> None:
        self.report = report
        self.folder: Path | None = None
        self.image_count = int(header["images"])
        self._arrays = arrays
        self._header = header
        self._samples: dict[Modality, Samples] = {}

    @property
    def protocol(self) -> EvaluationProtocol:
        """How the model was judged."""
        setting = self.report.setting  # earlier versions lack some
        return EvaluationProtocol(**{name: setting[name] for name in EvaluationProtocol.__slots__ if name in setting})

    def named(self, checkpoint: str) -> Self:
        """This evaluation, with the name of the model's file in its report: the same model may have several names."""
        self.report = replace(self.report, setting={**self.report.setting, "checkpoint": checkpoint})
        return self

    def items(self) -> list[Item]:
        """All test inputs, images first; ``items()[i].index == i``."""
        return self._items

    @cached_property
    def _items(self) -> list[Item]:
        header = self._header
        return [*make_items(self.image_count, self._arrays["labels"].tolist(), header["sources"], header["speakers"])]

    def key(self, index: int) -> str:
        """What its corpus takes to play an utterance, ``"fsdd:7_theo_0.wav"``; raises ``IndexError`` for an image."""
        if index < self.image_count:
            raise IndexError(f"Item {index} is an image and makes no sound.")
        return str(self._header["keys"][index - self.image_count])

    def posteriors(self) -> tuple[Posteriors, Posteriors]:
        """Those of the images and of the utterances, as precise as they are kept: 16 bits."""
        means, log_variances = (self._arrays[name].astype(np.float32) for name in ("means", "log_variances"))
        labels, count = self._arrays["labels"].astype(np.int64), self.image_count
        speakers = tuple(self._header["speakers"][count:])
        return (
            Posteriors(means[:count], log_variances[:count], labels[:count]),
            Posteriors(means[count:], log_variances[count:], labels[count:], speakers),
        )

    def figure2(self) -> tuple[FloatArray, npt.NDArray[np.integer]]:
        """The paper's Figure 2: t-SNE coordinates ``(m, 2)`` of one embedding sampled from each of some items.

        Returns
        -------
        coordinates
            ``(m, 2)``, those of images first.
        items
            Which items they are, ``(m,)``. They are the same for all models judged by one protocol on one data set.
        """
        return self._arrays["figure2/coordinates"], self._arrays["figure2/items"]

    def nearest(self, index: int) -> int:
        """The item of the other modality that an item finds first."""
        return int(self._arrays["nearest"][index])

    def mistakes(self) -> list[Mistake]:
        """The queries of both modalities whose nearest match shows another digit, worst first."""
        labels, nearest, margins = (self._arrays[name] for name in ("labels", "nearest", "margins"))
        wrong = np.flatnonzero(labels != labels[nearest])
        worst_first = wrong[np.argsort(-margins[wrong], kind="stable")]
        return [Mistake(int(query), int(nearest[query]), float(margins[query])) for query in worst_first]

    def cell(self, query: Modality, row: int, column: int) -> list[tuple[int, int]]:
        """The queries of a modality behind one cell of its confusion matrix, each with its match.

        Parameters
        ----------
        query
            The modality of the queries.
        row, column
            The queries' digit, and that of their nearest matches.
        """
        labels, nearest = self._arrays["labels"], self._arrays["nearest"]
        of_modality = (np.arange(len(labels)) < self.image_count) == (query is Modality.IMAGE)
        found = np.flatnonzero(of_modality & (labels == row) & (labels[nearest] == column))
        return [(int(place), int(nearest[place])) for place in found]

    def features(self, index: int, folder: Path | None = None) -> FloatArray:
        """What the encoder saw of an item, ``(28, 28)`` in [0, 1] or ``(100, 80)``, read from its corpus.

        The first call for a modality imports torch and reads its test inputs, which takes up to some seconds.

        Parameters
        ----------
        folder
            Where the corpora lie; by default the user's place for them.

        Raises
        ------
        MissingData
            If the corpus is gone, or is not the one that the model was judged on.
        """
        modality = Modality.IMAGE if index < self.image_count else Modality.SPEECH
        if modality not in self._samples:
            from model.evaluation.inputs import inputs_again  # late: its libraries take time to import

            self._samples[modality] = inputs_again(self.report.setting, modality, folder)
        place = index if modality is Modality.IMAGE else index - self.image_count
        return np.asarray(self._samples[modality].features[place], np.float32)

    def save(self, folder: Path) -> None:
        """Write both files; raises ``OSError`` on a full disk. The report comes last: with it, all is there."""
        (folder / _REPORT).unlink(missing_ok=True)
        write_atomically(folder / _POSTERIORS, self._arrays, {"format": FORMAT, "kind": "evaluation", **self._header})
        text = json.dumps(self.report.to_json_dict(), indent=1, ensure_ascii=False)
        write_bytes_atomically(folder / _REPORT, text.encode())
        self.folder = folder

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The inverse of :meth:`save`; raises :class:`~model.checkpoints.UnusableCheckpoint`."""
        try:
            report = Report.from_json_dict(json.loads((folder / _REPORT).read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnusableCheckpoint(f"{folder} holds no whole evaluation.") from error
        arrays, header = read(folder / _POSTERIORS)
        if header.get("kind") != "evaluation":
            raise UnusableCheckpoint(f"{folder} holds no evaluation.")
        evaluation = cls(report, arrays, header)
        evaluation.folder = folder
        return evaluation


def folder_of(checkpoint: Path, protocol: EvaluationProtocol) -> Path:
    """Where the evaluation of a model by a protocol lies, or would lie.

    It goes by the model's content, not by its name, by what the user has decided about items of the corpora, and by the
    code: a change to the evaluation makes new folders. Reads the model's file; raises ``OSError`` if it can't.
    """
    how: Any = protocol.to_dict()
    if decided := curation.state((protocol.images, protocol.speech)):
        how = [how, decided]
    return _kept() / content_name(checkpoint, how, EVALUATION_CODE)


def adopt(name: str, files: Mapping[str, bytes]) -> Path:
    """Keep an evaluation that was made and kept on another machine; returns its folder, raises ``OSError``.

    Parameters
    ----------
    name
        Of its folder over there.
    files
        The content of each of its `FILES`.
    """
    folder = _kept() / name
    for file in FILES:
        write_bytes_atomically(folder / file, files[file])
    return folder


def _kept() -> Path:
    return locations.cache() / "evaluations"


def content_name(file: Path, how: Any, code: Iterable[Path]) -> str:
    """A name for what is computed from a file: it changes with the content of the file, with ``how``, and with code.

    Parameters
    ----------
    file
        Such as a model; raises ``OSError`` if it can't be read.
    how
        JSON-ready settings.
    code
        Source files.
    """
    with file.open("rb") as opened:
        content = hashlib.file_digest(opened, "sha256").hexdigest()
    sources = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(code)]
    computed = hashlib.sha256(json.dumps([how, sources]).encode()).hexdigest()
    return f"{content[:16]}-{computed[:16]}"


def find(checkpoint: Path, protocol: EvaluationProtocol) -> Evaluation | None:
    """The evaluation of a model by a protocol, if it was made before; raises ``OSError`` as :func:`folder_of`.

    Whether the test data are still the same is not looked at: that takes reading them.
    """
    with suppress(UnusableCheckpoint):
        return Evaluation.load(folder_of(checkpoint, protocol))
    return None
