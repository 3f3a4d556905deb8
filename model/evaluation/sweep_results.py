"""What a sweep over lambda_IG found: a row for every model, and maps of the same test items that can be morphed.

Plain numpy, without torch: the window shows it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from model.checkpoints import Arrays, read_as, write_atomically
from model.evaluation.aligned_maps import AlignedMaps, fields_from, over_seeds
from model.evaluation.invariance import gap_between
from model.evaluation.posteriors import Posteriors
from model.evaluation.report import Interval, Report, parse_report
from model.evaluation.retrieval import precision_at_1
from model.parsing import parse
from model.types import Modality


class Sampled(NamedTuple):
    """What a sweep's embeddings say of a model: one sample of the posterior of each of some hundred items.

    Attributes
    ----------
    gap
        Share of their variance that lies between the modalities, the width of the posteriors included; ``None``
        where there is no variance.
    p_at_1
        P@1 by these samples, mean of both directions.
    """

    gap: float | None
    p_at_1: float


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One model of a sweep: what it was trained with, and what was measured of it.

    Attributes
    ----------
    lambda_ig, seed
        Of the training.
    report
        Its evaluation.
    sampled
        In place of what reports of earlier versions lack, by this model's embeddings in the sweep
        (`SweepResults.embeddings`). ``None`` if the report has it, or the sweep has no embeddings of this model.
    """

    lambda_ig: float
    seed: int
    report: Report
    sampled: Sampled | None = None

    @property
    def modality_gap(self) -> float | None:
        """Share of the variance between the modalities: of means, or of samples; ``None`` if it is not known."""
        known = self.report.modality_gap
        return known.share if known else self.sampled and self.sampled.gap

    @property
    def p_at_1_samples(self) -> float | None:
        """P@1 by single samples, mean of both directions; ``None`` if it is not known."""
        ways = [self.report.direction(query).p_at_1_samples for query in Modality]
        known = [way.mean for way in ways if way is not None]
        return sum(known) / len(ways) if len(known) == len(ways) else self.sampled and self.sampled.p_at_1


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
        results = cls(**shared, lambdas=lambdas, rows=tuple(rows))
        return replace(results, rows=tuple(_with_samples(results)))


def _with_samples(results: SweepResults) -> Iterator[SweepRow]:
    """The rows, with `SweepRow.sampled`."""
    unseen = dict(zip(results.lambdas, results.embeddings.astype(np.float32), strict=True))
    images, labels = len(results.image_features), np.array([item.label for item in results.items])
    for row in results.rows:
        found = unseen.pop(row.lambda_ig, None)  # of the first seed
        # Reports of versions that knew one system only; its similarity is the dot product.
        if row.report.modality_gap is None and found is not None and 0 < images < len(found):
            points = Posteriors(found, np.full_like(found, -np.inf), labels)
            seen, spoken = points.take(np.arange(images)), points.take(np.arange(images, len(found)))
            both = (precision_at_1(seen, spoken) + precision_at_1(spoken, seen)) / 2
            row = replace(row, sampled=Sampled(gap_between(found[:images], found[images:]).share, both))
        yield row


def _row(values: Mapping[str, Any]) -> SweepRow:
    lambda_ig = parse(float, values.get("lambda_ig"), "lambda_ig")
    return SweepRow(lambda_ig, parse(int, values.get("seed"), "seed"), parse_report(values.get("report")))
