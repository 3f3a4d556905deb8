"""What people gain by training with their takes: the results, and words about them; without torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from typing import Any, Literal

from model.data.corpora.my_digits import is_for_test
from model.data.takes import Take
from model.parsing import parse
from model.types import Modality

FEWEST = 3
"""Takes of each digit to train on, below which little can be expected."""
LEAST_TAKES = 10
"""Takes of a modality to train on, without which they don't train."""

Counts = Mapping[tuple[str, Modality], int]
"""How many takes there are to train on, by person and modality."""

Condition = Literal["before", "gallery", "after", "left_out"]
COLUMNS: Mapping[Condition, str] = {
    "before": "Before",
    "gallery": "In gallery",
    "after": "Trained",
    "left_out": "Left out",
}
"""Headings of what is counted, see :class:`Understood`."""


@dataclass(frozen=True, slots=True)
class Understood:
    """How many test takes of a person in one modality are understood.

    Attributes
    ----------
    person, modality
        Who, and how.
    trained, tested
        Number of takes of the training split, and of the test split.
    before
        Understood by the model that training started from.
    gallery
        The same with the takes of the training split of all these people in the gallery.
    after
        Understood by the model that trained on the others; ``None`` if there is none yet.
    left_out
        Understood by a model that trained on all other people's takes only; ``None`` if there is none.
    """

    person: str
    modality: Modality
    trained: int
    tested: int
    before: int | None = None
    gallery: int | None = None
    after: int | None = None
    left_out: int | None = None

    def __post_init__(self) -> None:
        if min(self.trained, self.tested) < 0:
            raise ValueError(f"there are fewer than no takes of {self.person}")
        for one in COLUMNS:
            right = getattr(self, one)
            if right is not None and not 0 <= right <= self.tested:
                raise ValueError(f"{one} is {right}, of {self.tested}")

    @property
    def verb(self) -> str:
        """What the person has done: ``"said"`` or ``"drawn"``."""
        return "said" if self.modality is Modality.SPEECH else "drawn"

    def counted(self, condition: Condition) -> str:
        """A count in words, ``"27 of 30"``; a dash for what was not, or can't be, counted."""
        right: int | None = getattr(self, condition)
        return "–" if right is None or not self.tested else f"{right} of {self.tested}"


@dataclass(frozen=True, slots=True)
class Setting:
    """How people's takes were trained with.

    Attributes
    ----------
    start
        Name of the recipe of the model that training started from.
    known_before
        People with whose takes that model had already trained.
    corpora, recipe, seed
        As of the :class:`~model.training.config.TrainingConfig`; the recipe JSON-ready.
    leave_out
        Whether each of several people was to be left out in turn, too.
    """

    start: str
    known_before: tuple[str, ...]
    corpora: tuple[str, ...]
    recipe: Mapping[str, Any]
    seed: int
    leave_out: bool = False

    def __post_init__(self) -> None:
        parse(str, self.recipe.get("name"), "the recipe's name")
        parse(int, self.recipe.get("steps"), "steps")


@dataclass(frozen=True, slots=True)
class PersonalResults:
    """What came of training with takes.

    Attributes
    ----------
    rows
        Of each person and modality.
    setting
        The data, the recipe and the seed.
    """

    rows: tuple[Understood, ...]
    setting: Setting

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        setting = {one.name: getattr(self.setting, one.name) for one in fields(Setting)}
        return {"rows": [asdict(row) for row in self.rows], "setting": setting}

    @classmethod
    def from_dict(cls, values: Any) -> PersonalResults:
        """The inverse of :meth:`to_dict`; raises ``ValueError``."""
        return parse(cls, values, "the results")

    @property
    def complete(self) -> bool:
        """Whether all has been counted that was to be."""
        tested = [row for row in self.rows if row.tested]
        strangers = self.setting.leave_out and len({row.person for row in self.rows if row.trained}) > 1
        return all(
            row.after is not None and (row.left_out is not None or not row.trained or not strangers) for row in tested
        )

    @property
    def caption(self) -> str:
        """The setting in words: data, recipe, seed, and to whom the model was no stranger."""
        setting = self.setting
        words = (
            f"Counted are takes that did not train. Recipe {setting.recipe['name']}, {setting.recipe['steps']} "
            f"steps from {setting.start}, seed {setting.seed}, on {', '.join(setting.corpora)}."
        )
        if setting.known_before:
            words += f" “Before”, the model had already trained with takes of {', '.join(setting.known_before)}."
        return words


def by_person(takes: Iterable[Take]) -> Iterator[tuple[str, Modality, list[Take], list[Take]]]:
    """Takes of each person in each modality, by name, without those that are left out.

    Yields
    ------
    person, modality, train, test
        The takes of either split, in their order.
    """
    kept = sorted(
        (take for take in takes if not take.excluded), key=lambda one: (one.person.casefold(), one.person, one.modality)
    )
    for (person, modality), group in groupby(kept, key=lambda one: (one.person, one.modality)):
        parts: tuple[list[Take], list[Take]] = ([], [])
        for take in group:
            parts[is_for_test(take)].append(take)
        yield person, modality, *parts


def takes_to_train(takes: Iterable[Take]) -> Counts:
    """How many takes there are to train on, of whom there are any."""
    return {(person, modality): len(train) for person, modality, train, _ in by_person(takes) if train}


def trained_modalities(counts: Counts) -> list[Modality]:
    """The modalities in which there are enough takes to train on."""
    return [modality for modality, total in _totals(counts).items() if total >= LEAST_TAKES]


def trained_people(counts: Counts) -> tuple[str, ...]:
    """The people whose takes would train."""
    enough = trained_modalities(counts)
    return tuple(dict.fromkeys(person for (person, modality), n in counts.items() if modality in enough and n))


def refusal(counts: Counts) -> str:
    """Why one can't train with so few takes, and what to do; empty if one can."""
    if trained_modalities(counts):
        return ""
    totals = _totals(counts)
    return (
        f"There are {totals[Modality.SPEECH]} spoken and {totals[Modality.IMAGE]} drawn takes to train on, and one "
        f"needs at least {LEAST_TAKES} of either. One take in four is kept for testing. Make some more on the page My "
        "digits."
    )


def _totals(counts: Counts) -> dict[Modality, int]:
    return {modality: sum(n for (_, one), n in counts.items() if one is modality) for modality in Modality}


def too_few(takes: Sequence[Take]) -> str:
    """Of what there is too little to expect much, in words; empty if there is enough."""
    words = []
    for person, modality, train, test in by_person(takes):
        verb = Understood(person, modality, 0, 0).verb
        counts = Counter(take.label for take in train)
        few = [str(digit) for digit in range(10) if counts[digit] < FEWEST]
        if few:
            listed = f"{', '.join(few[:-1])} and {few[-1]}" if few[1:] else few[0]
            words.append(f"{person} has {verb} few takes of {'any digit' if len(few) == 10 else listed}")
        elif not test:
            words.append(f"{person} has {verb} none for testing")
    if not words:
        return ""
    return f"{'; '.join(words)}. Ten takes of each digit are a good start; one in four is kept for testing."
