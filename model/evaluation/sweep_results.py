"""What a sweep over lambda_IG found: a row for every model, and maps of the same test items that can be morphed.

Plain numpy, without torch: the window shows it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model.checkpoints import Arrays, read_as, write_atomically
from model.evaluation.aligned_maps import AlignedMaps, fields_from, over_seeds
from model.evaluation.invariance import gap_between
from model.evaluation.report import Interval, Report, parse_report
from model.parsing import parse
from model.types import Modality


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One model of a sweep: what it was trained with, and what was measured of it.

    Attributes
    ----------
    lambda_ig, seed
        Of the training.
    report
        Its evaluation.
    gap_of_embeddings
        In place of the modality gap that reports of earlier versions lack: the share of the variance of this model's
        embeddings in the sweep (`SweepResults.embeddings`) that lies between the modalities. These are samples, so that
        the width of the posteriors counts as variance, too. ``None`` if the report has the gap, or the sweep has no
        embeddings of this model.
    """

    lambda_ig: float
    seed: int
    report: Report
    gap_of_embeddings: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SweepResults(AlignedMaps):
    """A finished sweep: the maps are those of the first seed's model of each lambda_IG.

    Attributes
    ----------
    lambdas
        Of the maps, ascending.
    rows
        Every model, by lambda_IG, then by seed.
    """

    lambdas: tuple[float, ...]
    rows: tuple[SweepRow, ...]

    def purity(self, lambda_ig: float) -> Interval:
        """Cluster purity over the seeds of one lambda_IG; raises ``KeyError`` where it was not swept."""
        return self.over_seeds(lambda_ig, lambda report: report.purity.mean)

    def modality_svm(self, lambda_ig: float) -> Interval:
        """Accuracy of the modality SVM over the seeds of one lambda_IG; raises ``KeyError`` where it was not swept."""
        return self.over_seeds(lambda_ig, lambda report: report.modality_svm.mean)

    def p_at_1(self, lambda_ig: float, query: Modality) -> Interval:
        """P@1 of queries of a modality over the seeds of one lambda_IG; raises ``KeyError`` where it was not swept."""
        return self.over_seeds(lambda_ig, lambda report: report.direction(query).retrieval.p_at_1)

    def over_seeds(self, lambda_ig: float, figure: Callable[[Report], float]) -> Interval:
        """Any figure of the reports over the seeds of one lambda_IG; raises ``KeyError`` where it was not swept."""
        return over_seeds((row.report for row in self.rows if row.lambda_ig == lambda_ig), figure)

    def save(self, path: Path) -> None:
        """Write everything to one file, all or nothing."""
        arrays, header = self.on_disk("sweep")
        header |= {
            "lambdas": list(self.lambdas),
            "rows": [
                {"lambda_ig": row.lambda_ig, "seed": row.seed, "report": row.report.to_json_dict()} for row in self.rows
            ],
        }
        write_atomically(path, arrays, header)

    @classmethod
    def load(cls, path: Path) -> SweepResults:
        """The inverse of :meth:`save`; raises :class:`~model.checkpoints.UnusableCheckpoint`."""
        return read_as("sweep", path, cls._from)

    @classmethod
    def _from(cls, arrays: Arrays, header: Mapping[str, Any]) -> SweepResults:
        lambdas = parse(tuple[float, ...], header.get("lambdas"), "lambdas")
        rows = [_row(values) for values in parse(list[dict[str, Any]], header.get("rows"), "rows")]
        if not lambdas or {row.lambda_ig for row in rows} != set(lambdas):
            raise ValueError("its maps and its rows are of different lambda_IG")
        shared = fields_from(arrays, header, len(lambdas))
        gaps = _with_gaps(rows, lambdas, shared["embeddings"], len(shared["image_features"]))
        return cls(**shared, lambdas=lambdas, rows=tuple(gaps))


def _with_gaps(
    rows: Iterable[SweepRow], lambdas: Sequence[float], embeddings: npt.NDArray[np.float16], images: int
) -> Iterator[SweepRow]:
    """The rows, with `SweepRow.gap_of_embeddings`."""
    unseen = dict(zip(lambdas, embeddings, strict=True))
    for row in rows:
        found = unseen.pop(row.lambda_ig, None)  # of the first seed
        if row.report.modality_gap is None and found is not None and 0 < images < len(found):
            row = replace(row, gap_of_embeddings=gap_between(found[:images], found[images:]).share)
        yield row


def _row(values: Mapping[str, Any]) -> SweepRow:
    lambda_ig = parse(float, values.get("lambda_ig"), "lambda_ig")
    return SweepRow(lambda_ig, parse(int, values.get("seed"), "seed"), parse_report(values.get("report")))
