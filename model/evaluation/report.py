"""What an evaluation finds: plain numbers with their JSON form.

Nothing here needs torch or scikit-learn: tables, figures and windows can be made of reports alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from model.evaluation.confidence import ConfidenceMeasures
from model.evaluation.paper import PaperRow
from model.parsing import parse
from model.types import Modality


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean of repeated measurements with its 95 % t-interval.

    Attributes
    ----------
    mean, low, high
        ``mean +- t(0.975, n - 1) s / sqrt(n)`` with the standard deviation ``s`` of the ``n`` values. The interval
        knows nothing of bounds: that of an accuracy may reach beyond 1. One value has no spread to tell, and
        all three are that value.
    values
        The measurements.
    """

    mean: float
    low: float
    high: float
    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """The interval of at least one measurement."""
        from scipy.special import stdtrit  # late: a window that shows reports needs none of scipy

        count, mean = len(values), math.fsum(values) / len(values)
        half = 0.0
        if count > 1:
            variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
            half = float(stdtrit(count - 1, 0.975)) * math.sqrt(variance / count)
        return cls(mean, mean - half, mean + half, tuple(values))

    @classmethod
    def from_json_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of ``asdict``."""
        return cls(values["mean"], values["low"], values["high"], tuple(values["values"]))


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How well the other modality's items are ranked for a query, all in [0, 1].

    Attributes
    ----------
    p_at_1, p_at_5, p_at_10
        Share of the query's digit among the first 1, 5 and 10 items, mean over queries.
    mean_average_precision
        Of the ranking of the whole gallery.
    p_at_1_low, p_at_1_high
        The 95 % interval of P@1 by Clopper and Pearson (`model.evaluation.proportions.clopper_pearson`); ``None`` in
        reports of earlier versions.
    """

    p_at_1: float
    p_at_5: float
    p_at_10: float
    mean_average_precision: float
    p_at_1_low: float | None = None
    p_at_1_high: float | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Accuracy on one modality of a digit classifier that saw labels of the other modality only.

    Attributes
    ----------
    nearest_neighbours
        Of k nearest neighbours.
    linear
        Of logistic regression.
    linear_1, linear_5, linear_20
        Of the same logistic regression with so many labels a digit, over draws of the labelled inputs; ``None`` where a
        digit has fewer inputs, and in reports of earlier versions.
    """

    nearest_neighbours: float
    linear: float
    linear_1: Interval | None = None
    linear_5: Interval | None = None
    linear_20: Interval | None = None

    @classmethod
    def from_json_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of ``asdict``."""
        return cls(**_with_intervals(values, "linear_1", "linear_5", "linear_20"))


@dataclass(frozen=True, slots=True)
class RecallAt:
    """Recall at one depth ``k``: share of the queries whose one partner is among the first ``k`` items.

    Attributes
    ----------
    image_to_speech, speech_to_image
        Over draws of the pairs.
    chance
        Of a random ranking.
    ceiling
        Of an embedding that tells the digit without fail, and nothing else.
    """

    image_to_speech: Interval
    speech_to_image: Interval
    chance: float
    ceiling: float

    @classmethod
    def from_json_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of ``asdict``."""
        return cls(**_with_intervals(values, "image_to_speech", "speech_to_image"))


@dataclass(frozen=True, slots=True)
class PairRecall:
    """Recall as papers on captioned images count it; see `model.evaluation.pair_recall`.

    Attributes
    ----------
    pairs
        Of an image and an utterance of the same digit: queries, and items to find.
    at_1, at_5, at_10
        By depth.
    """

    pairs: int
    at_1: RecallAt
    at_5: RecallAt
    at_10: RecallAt

    def by_depth(self) -> dict[int, RecallAt]:
        """By the number of items looked at."""
        return {1: self.at_1, 5: self.at_5, 10: self.at_10}

    @classmethod
    def from_json_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of ``asdict``."""
        return cls(values["pairs"], *(RecallAt.from_json_dict(values[at]) for at in ("at_1", "at_5", "at_10")))


@dataclass(frozen=True, slots=True)
class ModalityGap:
    """How far apart the two modalities lie as wholes; see `model.evaluation.invariance.modality_gap`.

    Attributes
    ----------
    distance
        Of the centroids of the two modalities, Euclidean.
    share
        Of the total variance that lies between the modalities, in [0, 1]; ``None`` where nothing varies.
    """

    distance: float
    share: float | None


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Queries whose posteriors are about as wide.

    Attributes
    ----------
    width_low, width_high
        Least and greatest width (differential entropy, in nats).
    count
        Queries.
    p_at_1
        Of these.
    """

    width_low: float
    width_high: float
    count: int
    p_at_1: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether a wider posterior means a wrong match.

    Attributes
    ----------
    auroc
        How often a query with a wrong nearest match has a wider posterior than one with a right match; 0.5: no
        better than chance. ``None`` where all matches are right, or all are wrong, or posteriors have no variance.
    bins
        Equally filled, narrowest posteriors first; none where posteriors have no variance.
    errors
        Queries with a wrong nearest match: of few, the AUROC is worth little.
    """

    auroc: float | None
    bins: tuple[CalibrationBin, ...]
    errors: int

    @classmethod
    def from_json_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of ``asdict``."""
        return cls(values["auroc"], tuple(CalibrationBin(**part) for part in values["bins"]), values["errors"])


@dataclass(frozen=True, slots=True)
class Direction:
    """Everything about queries of one modality that are answered in the other.

    Attributes
    ----------
    retrieval, calibration
        Of the queries.
    transfer
        From the query's modality, whose labels are learned, to the other one, where they are predicted.
    confusion
        ``10 x 10`` counts: rows are the query's digit, columns the nearest match's.
    per_digit
        P@1 of each digit asked for.
    per_speaker
        P@1 by the speaker of the utterance: the query, or the match that an image got.
    p_at_1_samples
        P@1 by one sample of each posterior on both sides, over draws of the samples; ``None`` in reports of earlier
        versions.
    confidence
        What the confidence is worth; ``None`` in reports of earlier versions.
    """

    retrieval: Retrieval
    transfer: Transfer
    calibration: Calibration
    confusion: tuple[tuple[int, ...], ...]
    per_digit: Mapping[int, float]
    per_speaker: Mapping[str, float]
    p_at_1_samples: Interval | None = None
    confidence: ConfidenceMeasures | None = None

    @classmethod
    def from_json_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of ``asdict`` by way of JSON, which knows no numbers as names."""
        calibration, confusion = values["calibration"], values["confusion"]
        errors = sum(map(sum, confusion)) - sum(row[digit] for digit, row in enumerate(confusion))
        return cls(
            Retrieval(**values["retrieval"]),
            Transfer.from_json_dict(values["transfer"]),
            Calibration.from_json_dict({"errors": errors, **calibration}),  # earlier versions did not count them
            tuple(tuple(row) for row in confusion),
            {int(digit): share for digit, share in values["per_digit"].items()},
            dict(values["per_speaker"]),
            _interval(values, "p_at_1_samples"),
            ConfidenceMeasures.from_json_dict(values["confidence"]) if values.get("confidence") else None,
        )


@dataclass(frozen=True, slots=True)
class OneModality:
    """What the posteriors of one modality look like.

    Attributes
    ----------
    mean_kl
        KL divergence from the prior N(0, I), in nats, mean over inputs; ``None`` where posteriors have no variance,
        for then it is infinite.
    active_dimensions
        Of the embedding: those whose posterior mean varies over inputs with a variance above 0.01.
    """

    mean_kl: float | None
    active_dimensions: int


@dataclass(frozen=True, slots=True)
class Report:
    """One row of the paper's table, and everything else that is measured of a model.

    Attributes
    ----------
    purity
        Cluster purity (Eq. 6), in [0, 1].
    modality_svm
        Test accuracy of an SVM that guesses the modality; 0.5 is perfectly modality-invariant. It is tested on
        embeddings that it has not seen, some of them samples of inputs that it has seen.
    modality_svm_unseen_inputs
        The same by the stricter split: the SVM has seen no other sample of the inputs that it is tested on.
    image_to_speech, speech_to_image
        Queries of the modality named first.
    image, speech
        Either modality by itself.
    paper
        The paper's row of the nearest lambda_IG.
    seconds
        Time that the evaluation took.
    setting
        On what the figures were taken: plain values only, so that they can be written as JSON.
    v_measure, homogeneity, completeness
        Of the same clusters as the purity; see `model.evaluation.clusters.agreement`. This and what follows is ``None``
        in reports of earlier versions.
    modality_gap
        Between the posterior means of the two modalities.
    pair_recall
        Recall of one partner a query; ``None`` also where the modalities share no digit.
    """

    purity: Interval
    modality_svm: Interval
    modality_svm_unseen_inputs: Interval
    image_to_speech: Direction
    speech_to_image: Direction
    image: OneModality
    speech: OneModality
    paper: PaperRow
    seconds: float
    setting: Mapping[str, Any] = field(default_factory=dict)
    v_measure: Interval | None = None
    homogeneity: Interval | None = None
    completeness: Interval | None = None
    modality_gap: ModalityGap | None = None
    pair_recall: PairRecall | None = None

    def direction(self, query: Modality) -> Direction:
        """Queries of that modality."""
        return self.image_to_speech if query is Modality.IMAGE else self.speech_to_image

    def to_json_dict(self) -> dict[str, Any]:
        """Return the report as plain dictionaries, lists and numbers."""
        return asdict(self)

    @classmethod
    def from_json_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_json_dict`, by way of JSON or not; raises ``KeyError`` and ``TypeError``."""
        gap, recall = values.get("modality_gap"), values.get("pair_recall")
        return cls(
            purity=Interval.from_json_dict(values["purity"]),
            modality_svm=Interval.from_json_dict(values["modality_svm"]),
            modality_svm_unseen_inputs=Interval.from_json_dict(values["modality_svm_unseen_inputs"]),
            image_to_speech=Direction.from_json_dict(values["image_to_speech"]),
            speech_to_image=Direction.from_json_dict(values["speech_to_image"]),
            image=OneModality(**values["image"]),
            speech=OneModality(**values["speech"]),
            paper=PaperRow(**values["paper"]),
            seconds=values["seconds"],
            setting=dict(values["setting"]),
            v_measure=_interval(values, "v_measure"),
            homogeneity=_interval(values, "homogeneity"),
            completeness=_interval(values, "completeness"),
            modality_gap=None if gap is None else ModalityGap(**gap),
            pair_recall=None if recall is None else PairRecall.from_json_dict(recall),
        )


def parse_report(values: Any) -> Report:
    """A report from JSON of which nothing is known yet; a ``ValueError`` says what is wrong."""
    try:
        found = Report.from_json_dict(values)
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"a report lacks a part, or has one too many ({error})") from error
    return parse(Report, found.to_json_dict(), "the report")


def _interval(values: Mapping[str, Any], name: str) -> Interval | None:
    """One that may be missing or ``None``, from its form in JSON."""
    found = values.get(name)
    return None if found is None else Interval.from_json_dict(found)


def _with_intervals(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The values, those of the given names as intervals."""
    return {**values, **{name: _interval(values, name) for name in names}}
