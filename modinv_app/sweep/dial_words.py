"""What one sees at a value of lambda_IG, and why: sentences made of what was measured there."""

from __future__ import annotations

from dataclasses import dataclass

from model.data.corpora import registry
from model.evaluation.report import PAPER_TABLE, Report
from model.evaluation.sweep_results import SweepResults
from model.recipes.recipe import lambda_text
from model.types import Modality
from modinv_app.map.map_layout import digits_apart

_TOLD = 0.9  # the SVM tells the modalities apart
_GUESSED = 0.6  # it does little better than guessing
_KEPT, _LOST = 0.9, 0.5  # purity: every digit a cluster of its own; no longer
_FAR = 0.1  # from the paper, in purity or accuracy
_CHEAP = 0.2  # of the objective, whose similarity has margins of 1
_SILENT = 2.0  # nats of a pair that say as good as nothing


@dataclass(frozen=True, slots=True)
class Words:
    """A title, and sentences: what one sees, why, and where the paper differs (empty where it does not)."""

    title: str
    sees: str
    why: str
    paper: str


@dataclass(frozen=True, slots=True)
class _Measured:
    """What the sentences are made of, at one lambda_IG.

    Attributes
    ----------
    purity, svm, right
        Means over seeds; ``right`` is P@1 of images that ask for speech.
    apart, digits
        Digits that lie in two clouds in the map, and all digits.
    nats
        What the posteriors of an image and an utterance say, in sum: mean KL from the prior.
    before
        The next lower lambda_IG and the nats there; None at the lowest.
    """

    lambda_ig: float
    purity: float
    svm: float
    right: float
    apart: int
    digits: int
    nats: float
    before: tuple[float, float] | None

    @property
    def price(self) -> float:
        """What the posteriors of a pair cost in the objective."""
        return self.lambda_ig * self.nats


def words_at(results: SweepResults, index: int) -> Words:
    """The words for one of the swept values of lambda_IG, by its place among them."""
    lambda_ig = results.lambdas[index]
    before = results.lambdas[index - 1] if index else None
    measured = _Measured(
        lambda_ig,
        results.purity(lambda_ig).mean,
        results.modality_svm(lambda_ig).mean,
        results.p_at_1(lambda_ig, Modality.IMAGE).mean,
        digits_apart(results.coordinates[index], results.items),
        len({item.label for item in results.items}),
        _nats(results, lambda_ig),
        None if before is None else (before, _nats(results, before)),
    )
    return _words(measured, _difference(measured))


def _nats(results: SweepResults, lambda_ig: float) -> float:
    def nats(report: Report) -> float:
        return sum(side.mean_kl or 0.0 for side in (report.image, report.speech))

    return results.over_seeds(lambda_ig, nats).mean


def _words(at: _Measured, paper: str) -> Words:
    told, guessed = at.svm >= _TOLD, at.svm <= _GUESSED
    if told and at.apart == at.digits:
        return Words("Two clouds for every digit", _sees_two(at), _why_two(at), paper)
    if told and at.apart:
        sees = (
            f"{at.apart} of {at.digits} digits still lie in two clouds, one of images and one of speech: "
            f"an SVM tells the two apart in {at.svm:.0%} of cases."
        )
        return Words("The clouds of a digit meet", sees, _why_less(at), paper)
    if told and at.purity >= _KEPT:
        sees = (
            f"Every digit has one place (purity {at.purity:.2f}) where its images and its utterances meet, yet they "
            f"keep to their own sides: an SVM tells them apart in {at.svm:.0%} of cases."
        )
        return Words("One cloud a digit, with a seam", sees, _why_less(at), paper)
    if not told and not guessed and at.purity >= _KEPT:
        sees = (
            f"Images and utterances of a digit mingle: an SVM is right in {at.svm:.0%} of cases, where guessing gives "
            f"50%. The digits themselves stay apart (purity {at.purity:.2f})."
        )
        return Words("The seam closes", sees, _why_less(at), paper)
    if guessed and at.purity >= _KEPT:
        sees = (
            f"Images and utterances of a digit share one cloud: an SVM can only guess which is which ({at.svm:.0%}), "
            f"while the digits stay apart (purity {at.purity:.2f})."
        )
        return Words("One cloud a digit", sees, _why_one(at), paper)
    if guessed and at.purity >= _LOST:
        sees = f"An SVM can't tell the modalities ({at.svm:.0%}), but digits blur, too: purity is {at.purity:.2f}."
        return Words("Digits run into each other", sees, _why_less(at), paper)
    if guessed:
        sees = f"Nothing can be told apart, neither modalities (SVM {at.svm:.0%}) nor digits (purity {at.purity:.2f})."
        return Words("Everything collapses", sees, _why_collapsed(at), paper)
    sees = f"An SVM tells images from speech in {at.svm:.0%} of cases; purity is {at.purity:.2f}."
    return Words("On the way", sees, _why_less(at), paper)


def _sees_two(at: _Measured) -> str:
    sees = (
        f"Images (circles) and speech (triangles) live in worlds of their own: an SVM tells them apart in "
        f"{at.svm:.0%} of cases"
    )
    if at.purity < _KEPT:
        return f"{sees}, and {at.digits} clusters can't hold {at.digits + at.apart} clouds (purity {at.purity:.2f})."
    return f"{sees}."


def _why_two(at: _Measured) -> str:
    why = "Similarity only asks that a pair's dot product beats that of strangers, wherever the two may lie"
    if at.right >= _KEPT:
        why += f": {at.right:.0%} of images find the right word all the same"
    if not at.lambda_ig:
        return f"{why}. Information costs nothing, so nothing pulls the clouds together."
    cost = f"What a pair says, {at.nats:.0f} nats, costs {at.price:.2g} here"
    return f"{why}. {cost}{', next to nothing beside a margin of 1' if at.price < _CHEAP else ''}."


def _why_less(at: _Measured) -> str:
    why = f"What a pair says, {at.nats:.0f} nats, costs {at.price:.2g} here"
    if at.before is None or at.before[1] <= at.nats:
        return f"{why}."
    lower, nats = at.before
    return f"{why}: it makes do with less than at {lambda_text(lower)}, where it was {nats:.0f}."


def _why_one(at: _Measured) -> str:
    return (
        f"Information has its price: what a pair says, {at.nats:.0f} nats, costs {at.price:.2g} here. Which digit it "
        "is pays for itself in similarity; how it came, seen or heard, pays for nothing and goes."
    )


def _why_collapsed(at: _Measured) -> str:
    if at.before is None or at.nats > _SILENT:
        return _why_less(at)
    lower, nats = at.before
    return (
        f"What a pair says at {lambda_text(lower)}, {nats:.0f} nats, would cost {at.lambda_ig * nats:.2g} here. To say "
        f"nothing is cheaper: posteriors have shrunk to the prior, {at.nats:.1f} nats are left."
    )


def _difference(at: _Measured) -> str:
    """Where the paper's row for this lambda_IG, if it has one, says something else."""
    if at.lambda_ig not in PAPER_TABLE:
        return ""
    purity, svm = PAPER_TABLE[at.lambda_ig]
    differs = []
    if abs(at.purity - purity) > _FAR:
        differs.append(f"purity {purity:.2f}")
    if abs(at.svm - svm) > _FAR:
        differs.append(f"SVM {svm:.2f}")
    return f"The paper, with other speech and its own recipe, has {' and '.join(differs)} here." if differs else ""


def origin_of(results: SweepResults) -> str:
    """Where the numbers come from."""
    recipe, protocol = results.setting["recipe"], results.setting["protocol"]
    names = protocol["images"], protocol["speech"]
    corpora = " + ".join(registry()[name].info.label if name in registry() else name for name in names)
    counts = [len(results.purity(value).values) for value in results.lambdas]
    fewest, most = min(counts), max(counts)
    if most == 1:
        seeds = "one seed"
    else:
        seeds = f"means of {most} seeds" if fewest == most else f"means of {fewest} to {most} seeds"
    return (
        f"{corpora} {protocol.get('split', 'test')}, recipe {recipe['name']}, {recipe['steps']:,} steps, {seeds}. "
        "Diamonds: the paper, MNIST + TIDIGITS."
    )
