"""The history of queries."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from modinv_app.explore.queries import LONGEST_HISTORY, Drawing, Query, QueryHistory, SoundFile

PIXELS = np.zeros((8, 8), np.uint8)


def drawing(number: int) -> Drawing:
    return Drawing(number, (), PIXELS)


def sound(name: str) -> SoundFile:
    return SoundFile(Path(name))


def walk(history: QueryHistory, step: str) -> list[Query]:
    """Everything that is met on the way to an end."""
    met = []
    while (query := getattr(history, step)()) is not None:
        met.append(query)
    return met


def test_back_and_forward_walk_through_what_was_asked() -> None:
    history = QueryHistory()
    assert not history.can_go_back
    asked = [drawing(1), sound("a"), drawing(2)]
    for query in asked:
        history.put(query)
    assert not history.can_go_forward
    assert walk(history, "back") == [asked[1], asked[0]]
    assert walk(history, "forward") == [asked[1], asked[2]]


def test_strokes_of_one_drawing_are_one_query_that_grows() -> None:
    history = QueryHistory()
    history.put(sound("a"))
    states = [drawing(7) for _ in range(5)]
    for state in states:
        history.put(state)
    assert walk(history, "back") == [sound("a")]
    assert history.forward() is states[-1]


def test_a_drawing_that_goes_on_after_going_back_keeps_what_follows() -> None:
    history = QueryHistory()
    history.put(drawing(7))
    history.put(sound("a"))
    history.back()
    more = drawing(7)
    history.put(more)
    assert history.forward() == sound("a")
    assert history.back() is more


def test_a_new_query_takes_the_place_of_all_that_followed() -> None:
    history = QueryHistory()
    for name in "abc":
        history.put(sound(name))
    history.back()
    history.back()
    history.put(sound("d"))
    assert not history.can_go_forward
    assert walk(history, "back") == [sound("a")]


def test_after_a_rest_back_returns_to_the_query_that_was() -> None:
    history = QueryHistory()
    history.put(sound("a"))
    history.deselect()
    assert history.back() == sound("a")
    assert not history.can_go_back


def test_an_unusable_query_is_in_no_history() -> None:
    history = QueryHistory()
    history.put(sound("silence"))
    history.drop()
    assert not history.can_go_back
    history.put(sound("a"))
    history.put(sound("silence"))
    history.drop()
    assert history.back() == sound("a")
    assert not history.can_go_forward


def test_the_history_has_a_bound() -> None:
    history = QueryHistory()
    for number in range(3 * LONGEST_HISTORY):
        history.put(drawing(number))
    assert len(walk(history, "back")) == LONGEST_HISTORY - 1
