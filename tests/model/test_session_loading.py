"""A run whose corpora take long to load: it is told, stopped, held, and comes to the same in the end."""

import pytest
from tiny import Bars, small

from model.runs.session import TrainingSession
from model.runs.store import RunRecord
from model.training.config import TrainingConfig
from model.training.loop import Ended, Saved, Stepped

pytestmark = pytest.mark.usefixtures("small_encoders", "brief_judging")

PLAN = TrainingConfig(small(), ("mnist", "fsdd"), device="cpu")


class Slow(Bars):
    """Tells of loading, which takes long; somebody has wanted it to stop since."""

    def __init__(self, what):
        super().__init__()
        self.stopped = False
        self._what = what

    def _listen(self, what, tell):
        if what == self._what:
            tell(0.0, f"Loading {what}")
            self.stopped = True
            tell(0.5, f"Loading {what}")
            raise AssertionError("nobody hears that it shall stop")

    def sampler(self, plan, device, tell):
        self._listen("pairs", tell)
        return super().sampler(plan, device, tell)

    def probe(self, plan, tell):
        self._listen("probe", tell)
        return super().probe(plan, tell)


@pytest.mark.parametrize(("what", "steps"), [("pairs", 0), ("probe", 1)])
def test_a_run_is_stopped_while_its_data_load_and_resumes(tmp_path, what, steps):
    lessons, told, folder = Slow(what), [], tmp_path / "run"
    with TrainingSession(folder, PLAN) as book:
        events = list(book.train(lessons, lambda: lessons.stopped, lambda *so_far: told.append(so_far)))
    assert told == [(0.0, f"Loading {what}")]
    assert [type(event) for event in events] == [Stepped, Saved, Ended][: 3 * steps]
    info = RunRecord(folder).info()
    assert (info.state, info.step, info.resumable, info.message) == ("stopped", steps, True, "")
    for place in (folder, tmp_path / "straight"):
        with TrainingSession(place, PLAN) as book:
            assert list(book.train(Bars()))[-1].complete
    weights = [RunRecord(place).model_file.read_bytes() for place in (folder, tmp_path / "straight")]
    assert weights[0] == weights[1]


def test_a_run_can_be_held_while_its_data_load(tmp_path):
    class Held(Bars):
        def sampler(self, plan, device, tell):
            tell(0.5, "Loading")
            return super().sampler(plan, device, tell)

    states = []

    def hold():
        if not states:
            with book.pause():
                states.append(book.record.info().state)
            states.append(book.record.info().state)
        return False

    with TrainingSession(tmp_path, PLAN) as book:
        list(book.train(Held(), hold))
    assert states == ["paused", "running"]
    assert 0 < book.record.info().seconds < 60
