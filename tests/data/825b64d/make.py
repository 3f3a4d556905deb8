# ruff: noqa: I001
"""How the files beside this script were made, by the code of commit 825b64d; it can't be run with any other.

In a checkout of that commit: ``PYTHONPATH=.:tests:tests/app python .../make.py FOLDER``. That code wrote everything.
One thing was changed for it: in each layer only a few units start with weights other than zero. The rest never get a
gradient, stay zero and compress to nothing, so that a model of 20 MB takes 11 KB here.
"""

import json
import lzma
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

WORK = Path("/tmp/modinv-825b64d")  # run.json and the settings hold absolute paths
shutil.rmtree(WORK, ignore_errors=True)
os.environ |= {
    "QT_QPA_PLATFORM": "offscreen",
    "XDG_CACHE_HOME": str(WORK / "cache"),
    "MODINV_DATA": str(WORK / "data"),
    "MODINV_RUNS": str(WORK / "runs"),
    "MODINV_SWEEPS": str(WORK / "sweeps"),
}

from tiny import write_corpora  # noqa: E402

from model import locations, sweep, training  # noqa: E402
from model.checkpoint import read_header  # noqa: E402
from model.evaluation.jobs import evaluate_checkpoint  # noqa: E402
from model.evaluation.store import folder_of  # noqa: E402
from model.library import Library  # noqa: E402
from model.logbook import Logbook  # noqa: E402
from model.plans import Plan  # noqa: E402
from model.recipes import named  # noqa: E402
from model.runs import RunRecord, RunStore  # noqa: E402
from model.sweep_records import SweepStore  # noqa: E402

ACTIVE = {64: 2, 128: 2, 256: 2, 512: 4}  # units of a layer by its size

whole_build = training.build


def thin_build(recipe):
    encoders = whole_build(recipe)
    with torch.no_grad():
        for layer in encoders.modules():
            if type(layer) in (nn.Conv2d, nn.Linear):  # not the heads, which are linear, too
                layer.weight[ACTIVE[layer.weight.shape[0]] :] = 0
                layer.weight.mul_(4)
                layer.bias.zero_()
        # What the silent units would have fed.
        for body, places in ((encoders.image.body, 49), (encoders.speech.body, 25)):
            convolutions = [layer for layer in body if isinstance(layer, nn.Conv2d)]
            for layer in convolutions[1:]:
                layer.weight[:, 2:] = 0
            next(layer for layer in body if isinstance(layer, nn.Linear)).weight[:, 2 * places :] = 0
        for head in (encoders.image.head, encoders.speech.head):
            head.weight[:, 4:] = 0
    return encoders


training.build = thin_build
once = sweep.protocol_of
sweep.protocol_of = lambda plan: replace(once(plan), resamplings=1)


class Evaluation:  # whoever waits for one
    def say(self, message):
        pass

    def stopping(self):
        return False


def train(folder, plan, until=10**9):
    with Logbook(folder, plan) as book:
        steps = 0

        def stop():
            return steps >= until

        for event in book.train(Library(), stop):
            steps = getattr(event, "step", steps)
    return RunRecord(folder)


def compress(source, target):
    """Copy a folder; tensors are packed by xz.

    What a run resumes from is left out where the run is complete, and so are the snapshots of a sweep's runs: they
    are as any run's.
    """
    for path in sorted(source.rglob("*")):
        if path.is_dir() or path.name == ".lock" or "tensorboard" in path.parts:
            continue
        if path.name == "resume.safetensors" and path.parent.name != "stopped":
            continue
        if "sweeps" in path.parts and (path.parent.name == "snapshots" or path.name == "probe.safetensors"):
            continue
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".safetensors":
            packed = lzma.compress(path.read_bytes(), preset=9 | lzma.PRESET_EXTREME)
            place.with_name(place.name + ".xz").write_bytes(packed)
        else:
            shutil.copy(path, place)


def write_settings(run):
    """By the window: it is opened, things are chosen as a person would, and it is closed."""
    from desk import Desk, until
    from PySide6.QtWidgets import QApplication

    from modinv_app import settings

    application = QApplication([])
    desk = Desk(WORK / "modinv.ini").open().ready()
    window = desk.window
    window.explore.draw.play_on_lift = False
    window.commands["dark"].trigger()
    window.commands["pca"].trigger()
    desk.root.settings.set(settings.MODEL_FILES, [str(run.model_file)])
    window.pages.turn_to("train")
    until(lambda: window.train is not None, "the page", 60)
    window.train.panel.form.set_plan(
        Plan(named("paper", lambda_ig=6.81e-5, batch_pairs=64), ("mnist", "fsdd"), 7, "cpu", "nicolas")
    )
    until(lambda: window.train.panel.form.corpora.chosen(), "the corpora", 60)
    window.train._remember_plan()
    desk.close()
    application.processEvents()
    desk.root.settings._store.sync()


def main(target):
    torch.set_num_threads(1)
    write_corpora(WORK / "data")
    for path in sorted((WORK / "data" / "fsdd").glob("*theo*")):
        shutil.copy(path, path.with_name(path.name.replace("theo", "nicolas")))
    recipe = named("fast", steps=6, batch_pairs=4, samples_per_input=2)
    plan = Plan(recipe, ("mnist", "fsdd"), device="cpu")
    runs = WORK / "runs"
    complete = train(runs / "complete", replace(plan, seed=1, left_out="nicolas"))
    complete.rename("Without nicolas")
    complete.set_note("The first one.")
    train(runs / "stopped", replace(plan, seed=2), until=3)
    store = RunStore(runs)
    deleted = RunRecord(store.new_folder(replace(plan, seed=3)))
    shutil.move(deleted.folder, runs / "deleted")
    store.delete(RunRecord(runs / "deleted"))
    shutil.move(next((runs / ".deleted").iterdir()), runs / ".deleted" / "00000000000000000001")
    chosen = sweep.SweepPlan(replace(plan, seed=0), (0.0, 2.15e-2))
    record = SweepStore().new(chosen)
    shutil.move(record.folder, WORK / "sweeps" / "sweep")
    events = list(sweep.sweep(chosen, WORK / "sweeps" / "sweep"))
    sweep.write(events[-1].results, WORK / "sweeps" / "sweep")
    for path in [*(WORK / "sweeps" / "sweep").glob("table.*"), *(WORK / "sweeps" / "sweep").glob("figure3.*")]:
        path.unlink()  # for people: nothing reads them
    protocol = sweep.protocol_of(plan)
    assert evaluate_checkpoint(complete.model_file, protocol, Evaluation()) is not None
    compress(folder_of(complete.model_file, protocol), target / "evaluation")
    compress(runs, target / "runs")
    compress(WORK / "sweeps", target / "sweeps")
    header = json.dumps(read_header(locations.shipped_model()), ensure_ascii=False)
    (target / "shipped_model.json.xz").write_bytes(lzma.compress(header.encode()))
    write_settings(complete)
    shutil.copy(WORK / "modinv.ini", target / "modinv.ini")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
