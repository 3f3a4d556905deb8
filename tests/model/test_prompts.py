"""Which digit is asked for next."""

from __future__ import annotations

from model.data.prompts import ROUNDS, next_digits, rounds_wanted


def test_every_round_asks_for_every_digit_once_in_an_order_of_its_own():
    counts, orders = [0] * 10, []
    for _ in range(ROUNDS):
        order = []
        for _ in range(10):
            order.append(next_digits(counts, ROUNDS)[0])
            counts[order[-1]] += 1
        assert sorted(order) == list(range(10))
        orders.append(tuple(order))
    assert len(set(orders)) > ROUNDS / 2
    assert tuple(range(10)) not in orders
    assert next_digits(counts, ROUNDS) == []
    assert rounds_wanted(counts) == 2 * ROUNDS


def test_what_comes_next_is_what_is_asked_for_next_and_a_lost_take_comes_first():
    counts = [3, 3, 2, 3, 3, 3, 3, 3, 3, 3]
    assert next_digits(counts, ROUNDS)[0] == 2
    after = next_digits(counts, ROUNDS)[1]
    assert next_digits([3] * 10, ROUNDS)[0] == after
    assert next_digits([9] * 10, ROUNDS, how_many=30) == next_digits([9] * 10, ROUNDS, how_many=10)
