"""Describes the models of a sweep or a comparison, in sentences made from the measurements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from model.data.corpora import registry
from model.evaluation.comparison_results import ComparisonResults
from model.evaluation.paper import PAPER_TABLE
from model.evaluation.report import Report
from model.evaluation.sweep_results import SweepResults, SweepRow
from model.recipes.recipe import FAST, lambda_text
from model.sweeps.results import Results
from model.systems import summary
from model.types import Modality
from modinv_app.map.map_layout import count_separated

_SEPARABLE, _AT_CHANCE = 0.9, 0.6  # SVM accuracy: the modalities can be told apart; hardly better than guessing
_PURE, _IMPURE = 0.9, 0.5  # purity: every digit has its own cluster; digits are mixed
_FAR = 0.1  # from the paper, in purity or accuracy
_CHEAP = 0.2  # of the objective, whose similarity term has margins of 1
_COLLAPSED = 2.0  # nats per pair, as good as no information


@dataclass(frozen=True, slots=True)
class Description:
    """A title, and sentences: what one sees, why, and how the paper differs (empty if it does not)."""

    title: str
    sees: str
    why: str
    paper: str


@dataclass(frozen=True, slots=True)
class _Measured:
    """The measurements at one lambda_IG.

    Attributes
    ----------
    purity, svm, p_at_1
        Means over seeds; ``p_at_1`` is that of image queries.
    apart, digits
        Number of digits with separate clouds in the map, and number of digits.
    nats
        Information gain of a pair: mean KL from the prior, image plus speech.
    before
        The next lower lambda_IG and the nats there; None at the lowest.
    """

    lambda_ig: float
    purity: float
    svm: float
    p_at_1: float
    apart: int
    digits: int
    nats: float
    before: tuple[float, float] | None

    @property
    def separable(self) -> bool:
        """Whether an SVM tells the modalities apart."""
        return self.svm >= _SEPARABLE

    @property
    def at_chance(self) -> bool:
        """Whether an SVM can only guess the modality."""
        return self.svm <= _AT_CHANCE

    @property
    def cost(self) -> str:
        """The weighted information gain of a pair, in words."""
        return f"A pair's information gain, {self.nats:.0f} nats, costs {self.lambda_ig * self.nats:.2g} here"


def describe(results: SweepResults, index: int) -> Description:
    """Describe the results at one of the swept values of lambda_IG, by its index."""
    lambda_ig = results.lambdas[index]
    before = results.lambdas[index - 1] if index else None
    at = _Measured(
        lambda_ig,
        results.purity(lambda_ig).mean,
        results.modality_svm(lambda_ig).mean,
        results.p_at_1(lambda_ig, Modality.IMAGE).mean,
        count_separated(results.coordinates[index], results.items),
        len({item.label for item in results.items}),
        _nats(results, lambda_ig),
        None if before is None else (before, _nats(results, before)),
    )
    case = next(case for case in _CASES if case.applies(at))
    return Description(case.title, case.sees(at), case.why(at), _difference(at))


def describe_system(results: ComparisonResults, index: int) -> Description:
    """Describe the model of a system of a comparison, by its index."""
    name = results.systems[index]
    recipe = FAST.with_settings(results.settings[name])
    at = _Measured(
        recipe.lambda_ig,
        results.over_seeds(name, lambda report: report.purity.mean).mean,
        results.over_seeds(name, lambda report: report.modality_svm.mean).mean,
        results.over_seeds(name, lambda report: report.image_to_speech.retrieval.p_at_1).mean,
        count_separated(results.coordinates[index], results.items),
        len({item.label for item in results.items}),
        0.0,
        None,
    )
    case = next(case for case in _CASES if case.applies(at))
    found = f"{at.p_at_1:.0%} of images find the right word."
    return Description(
        f"{name[0].upper()}{name[1:]}", f"{case.title}. {case.sees(at)} {found}", summary(recipe.system), ""
    )


def _nats(results: SweepResults, lambda_ig: float) -> float:
    def nats(report: Report) -> float:
        return sum(side.mean_kl or 0.0 for side in (report.image, report.speech))

    return results.over_seeds(lambda_ig, nats).mean


def _sees_two(at: _Measured) -> str:
    sees = f"Images (circles) and speech (triangles) are separate: an SVM tells them apart in {at.svm:.0%} of cases"
    if at.purity < _PURE:
        return f"{sees}, and {at.digits} clusters can't match {at.digits + at.apart} clouds (purity {at.purity:.2f})."
    return f"{sees}."


def _why_two(at: _Measured) -> str:
    why = "Similarity only asks that a pair's dot product exceeds those with impostors, wherever the two are"
    if at.p_at_1 >= _PURE:
        why += f": {at.p_at_1:.0%} of images find the right word"
    if not at.lambda_ig:
        return f"{why}. Information costs nothing, so nothing pulls the clouds together."
    return f"{why}. {at.cost}{', little compared to a margin of 1' if at.lambda_ig * at.nats < _CHEAP else ''}."


def _why_less(at: _Measured) -> str:
    if at.before is None or at.before[1] <= at.nats:
        return f"{at.cost}."
    lower, nats = at.before
    return f"{at.cost}: it is less than at {lambda_text(lower)}, where it was {nats:.0f}."


def _why_one(at: _Measured) -> str:
    return f"{at.cost}. Which digit it is increases similarity; whether it was seen or heard does not, and is dropped."


def _why_collapsed(at: _Measured) -> str:
    if at.before is None or at.nats > _COLLAPSED:
        return _why_less(at)
    lower, nats = at.before
    return (
        f"A pair's information gain at {lambda_text(lower)}, {nats:.0f} nats, would cost {at.lambda_ig * nats:.2g} "
        f"here. The prior is cheaper: posteriors have shrunk to it, and {at.nats:.1f} nats are left."
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """A title and texts, and the condition under which they apply."""

    title: str
    applies: Callable[[_Measured], bool]
    sees: Callable[[_Measured], str]
    why: Callable[[_Measured], str] = _why_less


_CASES = (  # the first that applies
    _Case("Two clouds per digit", lambda at: at.separable and at.apart == at.digits, _sees_two, _why_two),
    _Case(
        "Some digits in two clouds",
        lambda at: at.separable and at.apart > 0,
        lambda at: (
            f"{at.apart} of {at.digits} digits still have two clouds, one of images and one of speech: "
            f"an SVM tells the modalities apart in {at.svm:.0%} of cases."
        ),
    ),
    _Case(
        "One cloud per digit, in two halves",
        lambda at: at.separable and at.purity >= _PURE,
        lambda at: (
            f"Images and utterances of a digit are in one place (purity {at.purity:.2f}), but in separate "
            f"halves of it: an SVM tells them apart in {at.svm:.0%} of cases."
        ),
    ),
    _Case(
        "Modalities begin to mix",
        lambda at: not at.separable and not at.at_chance and at.purity >= _PURE,
        lambda at: (
            f"Images and utterances of a digit mix: an SVM is right in {at.svm:.0%} of cases, where guessing "
            f"gives 50%. The digits are separate (purity {at.purity:.2f})."
        ),
    ),
    _Case(
        "One cloud per digit",
        lambda at: at.at_chance and at.purity >= _PURE,
        lambda at: (
            f"Images and utterances of a digit share one cloud: an SVM can only guess which is which "
            f"({at.svm:.0%}), while the digits are separate (purity {at.purity:.2f})."
        ),
        _why_one,
    ),
    _Case(
        "Digits overlap",
        lambda at: at.at_chance and at.purity >= _IMPURE,
        lambda at: (
            f"An SVM can't tell the modalities ({at.svm:.0%}), but digits overlap, too (purity {at.purity:.2f})."
        ),
    ),
    _Case(
        "Everything collapses",
        lambda at: at.at_chance,
        lambda at: f"Neither modalities (SVM {at.svm:.0%}) nor digits (purity {at.purity:.2f}) can be told apart.",
        _why_collapsed,
    ),
    _Case(
        "In between",
        lambda _at: True,
        lambda at: f"An SVM tells images from speech in {at.svm:.0%} of cases; purity is {at.purity:.2f}.",
    ),
)


def _difference(at: _Measured) -> str:
    """How the paper's row for this lambda_IG differs; empty if it does not, or if there is none."""
    if at.lambda_ig not in PAPER_TABLE:
        return ""
    purity, svm = PAPER_TABLE[at.lambda_ig]
    differs = []
    if abs(at.purity - purity) > _FAR:
        differs.append(f"purity {purity:.2f}")
    if abs(at.svm - svm) > _FAR:
        differs.append(f"SVM {svm:.2f}")
    return f"The paper, with other speech and its own recipe, has {' and '.join(differs)} here." if differs else ""


def origin_of(results: Results) -> str:
    """The data, recipe and seeds behind the numbers."""
    recipe, protocol = results.setting["recipe"], results.setting["protocol"]
    names = protocol["images"], protocol["speech"]
    corpora = " + ".join(registry()[name].info.label if name in registry() else name for name in names)
    swept = isinstance(results, SweepResults)
    counts = Counter(row.lambda_ig if isinstance(row, SweepRow) else row.system for row in results.rows).values()
    fewest, most = min(counts), max(counts)
    if most == 1:
        seeds = "one seed"
    else:
        seeds = f"means of {most} seeds" if fewest == most else f"means of {fewest} to {most} seeds"
    batch = recipe.get("batch_size", FAST.batch_size)
    steps = f"{recipe['steps']:,} steps" + ("" if batch == FAST.batch_size else f" of {batch} pairs")
    origin = f"{corpora} {protocol.get('split', 'test')}, recipe {recipe['name']}, {steps}, {seeds}."
    return f"{origin} Diamonds: the paper, MNIST + TIDIGITS." if swept else origin
