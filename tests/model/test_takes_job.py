"""The worker's job that trains with takes, in small: whole, stopped, resumed, and when something is in its way."""

from __future__ import annotations

import errno
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny import SMALL, seeded, write_corpora

from model import locations
from model.checkpoints import Header, UnusableCheckpoint, read, read_header, write_atomically
from model.data.corpora.my_digits import is_for_test
from model.data.takes import TakeStore
from model.errors import describe_failure
from model.evaluation.personal import Examiner, counts_of, own_takes
from model.evaluation.personal_results import PersonalResults
from model.jobs.takes import train_with_takes
from model.jobs.worker import JOBS
from model.progress import JobContext
from model.recipes.recipe import fine_tuning, named
from model.retrieval.confidence import Calibration, Confidence, Rejection, fitted_for, to_header
from model.retrieval.gallery import Gallery
from model.runs import personal, personal_runs
from model.runs.corpus_cache import CorpusCache
from model.runs.personal import PersonalTraining
from model.runs.personal_runs import RESULTS, TooFewTakes, latest_run, personal_config, read_run
from model.runs.store import RunRecord, RunStore
from model.systems import build
from model.systems.model_io import load_model, save_model
from model.training.config import TrainingConfig
from model.training.loop import Run
from model.types import Modality

pytestmark = [pytest.mark.usefixtures("small_encoders", "brief_judging"), pytest.mark.timeout(180)]
STEPS = 3
FITTED = to_header(  # of drawings with a score below the threshold of 0 half are rejected; of sounds, none
    {
        Modality.IMAGE: Confidence(Calibration(3.0, -1.0), Rejection((*np.linspace(-1, 1, 260).tolist(),), 0.0)),
        Modality.SPEECH: Confidence(Calibration(2.0, 0.0)),
    }
)


class Listener(JobContext):
    """Hears what a job says; ``hear`` may do something about it, and stop the job by returning True."""

    def __init__(self, hear: Any = lambda _message: False) -> None:
        self.said: list[dict[str, Any]] = []
        self._hear, self._stopped = hear, False

    def send(self, message: dict[str, Any]) -> None:
        self.said.append(json.loads(json.dumps(message)))  # as the window receives it
        self._stopped |= bool(self._hear(message))

    def cancelled(self, pausing: Any = None) -> bool:  # noqa: ARG002 (nothing pauses)
        return self._stopped

    @property
    def results(self) -> PersonalResults:
        return PersonalResults.from_dict([m["results"] for m in self.said if m["say"] == "results"][-1])


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpora(tmp_path_factory.mktemp("corpora") / "data")


@pytest.fixture
def takes(corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TakeStore:
    """Ann and Bob have said tones, of which FSDD holds others; the synthetic voices would take too long."""
    monkeypatch.setenv("MODINV_DATA", str(corpora))
    for name in ("takes", "runs"):
        monkeypatch.setenv(f"MODINV_{name.upper()}", str(tmp_path / name))
    monkeypatch.setattr(personal_runs, "_OLD_PAIRS", ("mnist", "fsdd"))
    for module in (personal_runs, personal):
        monkeypatch.setattr(
            module, "fine_tuning", lambda recipe: fine_tuning(recipe).changed(**{**SMALL, "steps": STEPS})
        )
    store = TakeStore()
    for person in ("Ann", "Bob"):
        for digit in range(10):
            add(store, person, digit, test=False)
        for digit in (3, 7):
            add(store, person, digit, test=True)
    return store


def add(store: TakeStore, person: str, digit: int, *, test: bool) -> None:
    tone = 0.5 * np.sin(2 * np.pi * (200 + 300 * digit) * np.arange(4000) / 8000)
    while is_for_test(take := store.add_speech(person, digit, tone.astype(np.float32), 8000)) != test:
        take.path.unlink()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, small_encoders: None) -> Path:  # noqa: ARG001 (first)
    """A small model that has learnt nothing."""
    folder = tmp_path_factory.mktemp("start")
    recipe = named("fast", **SMALL)
    data = {"images": ["mnist"], "speech": ["fsdd"]}
    save_model(
        folder / "model.safetensors",
        seeded(lambda: build(recipe)),
        Run(folder, recipe, 0, data, torch.device("cpu")).header(0),
    )
    return folder / "model.safetensors"


def request(start: Path, *people: str, leave_out: bool = False) -> dict[str, Any]:
    return {"do": "takes", "start": str(start), "people": list(people), "leave_out": leave_out}


def test_it_trains_counts_each_person_and_leaves_each_out_though_people_are_renamed_meanwhile(
    takes: TakeStore, start: Path
) -> None:
    def rename(message: dict[str, Any]) -> None:
        if message.get("text", "").startswith("Training: step 1 ") and "Bob" in takes.people():
            takes.rename_person("Bob", "Rob")
            takes.delete_person("Ann")

    listener = Listener(rename)
    train_with_takes(request(start, leave_out=True), listener, CorpusCache())
    assert listener.said[-1] == {"say": "ended", "complete": True}
    results = listener.results
    assert [(row.person, row.trained, row.tested) for row in results.rows] == [("Ann", 10, 2), ("Bob", 10, 2)]
    assert all(None not in (row.before, row.after, row.left_out) for row in results.rows)
    assert results.complete
    shares = [message["share"] for message in listener.said if message["say"] == "progress"][5:]
    assert shares[-1] == 1

    run = latest_run(RunStore())
    assert run is not None
    assert (run.results, run.info.state, run.has_model) == (results, "complete", True)
    assert run.info.plan.people == ("Ann", "Bob")
    assert run.info.plan.start == start
    assert {message["folder"] for message in listener.said if message["say"] == "run"} == {str(run.record.folder)}


@pytest.mark.usefixtures("takes")
def test_a_run_that_was_stopped_is_resumed_and_counted_with_its_own_choices(start: Path) -> None:
    def stop(message: dict[str, Any]) -> bool:
        return message.get("text", "").startswith("Training: step 1 ")

    listener = Listener(stop)
    train_with_takes(request(start, "Ann", "Bob", leave_out=True), listener, CorpusCache())
    assert listener.said[-1] == {"say": "ended", "complete": False}
    run = latest_run(RunStore())
    assert run is not None
    assert (run.info.state, run.info.step, run.info.resumable) == ("stopped", 1, True)
    assert not run.results.complete
    assert [row.before is not None and row.after is None for row in run.results.rows] == [True, True]

    def stop_later(message: dict[str, Any]) -> bool:
        return message.get("text", "").startswith("Training without Bob")

    train_with_takes({"folder": str(run.record.folder)}, Listener(stop_later), CorpusCache())
    half = read_run(run.record)
    assert half is not None
    assert half.info.state == "complete"
    assert [(row.after is None, row.left_out is None) for row in half.results.rows] == [(False, False), (False, True)]

    listener = Listener()
    train_with_takes({"folder": str(run.record.folder)}, listener, CorpusCache())
    assert listener.results.complete
    said = {message.get("text", "")[:20] for message in listener.said}
    assert "Training without Bob" in said
    assert "Training without Ann" not in said, "she was left out before"
    assert len(RunStore().list()) == 1


@pytest.mark.usefixtures("takes")
@pytest.mark.parametrize(
    ("header", "passed_on"),
    [
        ({"confidence": FITTED}, True),
        ({"confidence": FITTED, "confidence_from": {"name": "older", "sha256": "0"}}, False),
        ({}, False),
    ],
    ids=["fitted for it", "fitted for one before it", "none"],
)
def test_the_new_model_has_the_confidence_that_was_fitted_for_the_one_before_it(
    header: dict[str, Any], passed_on: bool, start: Path, tmp_path: Path
) -> None:
    arrays, values = read(start)
    model = tmp_path / "before.safetensors"
    write_atomically(model, arrays, {**values, **header})
    train_with_takes(request(model, "Ann"), Listener(), CorpusCache())
    run = latest_run(RunStore())
    assert run is not None
    made = Header.from_dict(read_header(run.record.model_file))
    origin = {"name": model.name, "sha256": hashlib.sha256(model.read_bytes()).hexdigest()}
    assert made.confidence_from == (origin if passed_on else {})
    assert bool(fitted_for(made)) is passed_on
    if passed_on:
        assert made.confidence["speech"] == FITTED["speech"]
        assert made.confidence["image"]["calibration"] == FITTED["image"]["calibration"]
        assert made.confidence["image"]["rejection"]["weights"] == list(FITTED["image"]["rejection"]["weights"])
        assert_lost_alike(model, run.record.model_file)


def assert_lost_alike(before: Path, after: Path) -> None:
    """Two models reject the same share of the digits of MNIST that they guess rightly, within one of them."""
    digits, gallery = CorpusCache().load("mnist", "validation"), Gallery.load(locations.shipped_gallery())
    lost, right = [], []
    for path in (before, after):
        system, header = load_model(path)
        rejection = fitted_for(header)[Modality.IMAGE].rejection
        assert rejection is not None
        scores = Examiner(system, header, gallery).scores(rejection, digits.balanced(200, 0))
        lost.append(np.mean(scores < 0))
        right.append(len(scores))
    assert lost[1] == pytest.approx(lost[0], abs=1 / max(1, min(right)))


@pytest.mark.usefixtures("takes")
def test_after_an_unusual_training_no_confidence_is_passed_on(start: Path, tmp_path: Path) -> None:
    arrays, values = read(start)
    model = tmp_path / "before.safetensors"
    write_atomically(model, arrays, {**values, "confidence": FITTED})
    takes = own_takes(TakeStore().takes(), ("Ann",))
    config = personal_config(model, counts_of(takes), settings=["learning_rate=1e-3"])
    PersonalTraining(config, takes, CorpusCache(), Listener()).run(lambda: tmp_path / "run")
    assert Header.from_dict(read_header(tmp_path / "run" / "model.safetensors")).confidence == {}


@pytest.mark.usefixtures("takes")
def test_stopping_before_the_run_begins_leaves_nothing(start: Path) -> None:
    listener = Listener(lambda message: message.get("text") == "Testing the model as it is")
    train_with_takes(request(start), listener, CorpusCache())
    assert RunStore().list() == []


def test_what_is_in_the_way_is_said_and_leaves_no_run(takes: TakeStore, start: Path, tmp_path: Path) -> None:
    with pytest.raises(UnusableCheckpoint, match=r"gone\.safetensors does not exist"):
        JOBS["takes"](request(tmp_path / "gone.safetensors"), Listener())  # as the worker process does it
    foreign = tmp_path / "foreign.safetensors"
    header = read_header(start)
    write_atomically(foreign, {}, {**header, "recipe": {**header["recipe"], "system": "elsewhere"}})
    with pytest.raises(UnusableCheckpoint, match=r"foreign\.safetensors can't be trained any further.*elsewhere"):
        train_with_takes(request(foreign), Listener(), CorpusCache())
    takes.delete([take for take in takes.takes() if take.label > 2])
    with pytest.raises(TooFewTakes, match="6 spoken and 0 drawn"):
        train_with_takes(request(start), Listener(), CorpusCache())
    assert RunStore().list() == []


@pytest.mark.usefixtures("takes")
def test_a_full_disk_is_said_and_what_was_counted_was_told_before(start: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []

    def full(folder: Path, results: PersonalResults) -> None:
        written.append(folder)
        if len(written) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        personal_runs.save_results(folder, results)

    monkeypatch.setattr(personal, "save_results", full)
    listener = Listener()
    with pytest.raises(OSError, match="No space left") as caught:
        train_with_takes(request(start), listener, CorpusCache())
    assert "Free some space, then resume" in describe_failure(caught.value)
    assert all(row.after is not None for row in listener.results.rows)
    run = read_run(RunRecord(written[0]))
    assert run is not None
    assert run.info.state == "complete"
    assert not run.results.complete, "what was saved before is whole"


@pytest.mark.usefixtures("takes")
def test_damaged_results_hide_their_own_run_only(start: Path) -> None:
    train_with_takes(request(start), Listener(), CorpusCache())
    first = latest_run(RunStore())
    assert first is not None
    second = RunStore().new_folder(first.info.plan)
    good = json.loads((first.record.folder / RESULTS).read_text())
    for damage in (
        b"",
        b"[]",
        json.dumps({**good, "rows": [{**good["rows"][0], "after": 3}]}).encode(),
        json.dumps({**good, "rows": [{**good["rows"][0], "modality": "smell"}]}).encode(),
        json.dumps({**good, "setting": {**good["setting"], "recipe": {}}}).encode(),
    ):
        (second / RESULTS).write_bytes(damage)
        assert read_run(RunRecord(second)) is None
        assert latest_run(RunStore()).record == first.record
    (second / RESULTS).write_text(json.dumps(good))
    assert latest_run(RunStore()).record == RunRecord(second)


def test_a_run_is_named_after_its_people_and_frozen_encoders_train_again(start: Path) -> None:
    counts = {(person, Modality.SPEECH): 10 for person in ("Ann", "Bob", "Cy", "Di")}
    assert personal_config(start, counts).title.endswith("Ann, Bob and others")
    two = {(person, Modality.SPEECH): 10 for person in ("Ann", "Bob")}
    assert personal_config(start, two).title == "personal, λ 2.15e-2, Ann and Bob"
    assert TrainingConfig(named("fast")).title == "fast, λ 2.15e-2"
    generative = Header.from_dict(read_header(locations.assets() / "generative.safetensors"))
    assert generative.recipe["frozen_encoders"]
    assert not fine_tuning(generative.recipe).frozen_encoders  # type: ignore[attr-defined]
