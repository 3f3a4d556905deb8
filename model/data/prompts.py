"""Which digit somebody who records or draws is asked for next."""

from __future__ import annotations

import random
from collections.abc import Sequence

ROUNDS = 10
"""Rounds of the ten digits that are asked for at once."""


def rounds_wanted(counts: Sequence[int]) -> int:
    """How many takes of each digit to ask for, by how many there are: the next multiple of :data:`ROUNDS`."""
    return ROUNDS * (min(counts) // ROUNDS + 1)


def next_digits(counts: Sequence[int], rounds: int, how_many: int = 2) -> list[int]:
    """The next digits to ask for, perhaps fewer than wanted; none once all rounds are complete.

    Each round is in an order of its own, always the same, as people read rows of numbers with the melody of a list. A
    digit that has lost a take is asked for again first.

    Parameters
    ----------
    counts
        Number of takes of each digit, 10 numbers.
    rounds
        Takes of each digit that are wanted.
    how_many
        Number of digits.
    """
    counts = list(counts)
    digits: list[int] = []
    while len(digits) < how_many and (least := min(counts)) < rounds:
        order = random.Random(least).sample(range(10), 10)
        digits.append(next(digit for digit in order if counts[digit] == least))
        counts[digits[-1]] += 1
    return digits
