"""``modinv export``: what is named becomes what is written; judging itself has its own tests."""

import json

import numpy as np
import pytest
from exhibits import evaluation, features, sweep
from fresh_python import imported_by
from PIL import Image
from typer.testing import CliRunner

from model import locations
from model.checkpoints import FORMAT, write_atomically
from model.cli.main import app
from model.evaluation import EvaluationError
from model.evaluation import checkpoints as jobs
from model.evaluation.robustness import made_with
from model.evaluation.store import Evaluation
from model.evaluation.sweep_results import SweepResults
from model.export import drawing
from model.export.writers import WRITERS
from model.jobs.export import export as job
from model.recipes.recipe import named
from model.runs.store import RunRecord, RunStore
from model.training.config import TrainingConfig
from model.types import Item, Modality


@pytest.fixture(autouse=True)
def judged(monkeypatch):
    """Every model is judged at once; which ones, and by what protocols."""
    seen = []

    def judge(path, protocol, context, folder):
        seen.append((path, protocol, folder))
        context.send({"say": "progress", "share": 0.5, "text": "Half"})
        return evaluation(0.0 if "runs" in path.parts else 2.15e-2)

    monkeypatch.setattr(jobs, "evaluate_checkpoint", judge)
    monkeypatch.setattr(Evaluation, "features", features)
    return seen


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.safetensors"
    write_atomically(path, {"weights": np.zeros(1)}, {"format": FORMAT})
    return path


@pytest.fixture
def run(tmp_path):
    """The folder of a run with a name, a model and one point of its curves."""
    folder = RunStore(tmp_path / "runs").new_folder(TrainingConfig(named("fast")))
    write_atomically(folder / "model.safetensors", {"weights": np.zeros(1)}, {"format": FORMAT})
    point = {"step": 1, "epoch": 0.1, "seconds": 2.0, "total": 8.0, "similarity": 7.0}
    RunRecord(folder).metrics_file.write_text(json.dumps(point) + "\n")
    RunRecord(folder).rename("The other one")
    return folder


@pytest.fixture
def swept(tmp_path):
    """The folder of a sweep."""
    results = SweepResults(
        items=(Item(0, Modality.IMAGE, 3, "MNIST test 0"),),
        image_features=np.zeros((1, 28, 28), np.uint8),
        keys=(),
        embeddings=np.zeros((3, 1, 8), np.float16),
        coordinates=np.zeros((3, 1, 2), np.float32),
        setting={"recipe": "fast"},
        failures={},
        lambdas=(0.0, 2.15e-2, 0.5),
        rows=tuple(sweep()),
    )
    results.save(tmp_path / "swept" / "sweep.safetensors")
    return tmp_path / "swept"


@pytest.fixture
def _blank_figures(monkeypatch):
    """Figures are made, but drawn as nothing: what they show in each format is tested with them."""
    monkeypatch.setattr(drawing, "_bytes", lambda *_figure, **_options: b"<svg></svg>")


def export(*arguments):
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


def written(folder):
    """The files in it, but for those inside of a projector's folder."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in files if "projector" not in path.parts}


def test_a_files_name_suggests_what_is_written(tmp_path, model, judged):
    for name in ("map.svg", "table.csv", "table.tex", "e.npz", "e.parquet", "all.html"):
        result = export(model, "--to", tmp_path / "new" / name, "--data-dir", tmp_path)
        assert result.exit_code == 0, result.output
        assert result.stderr.endswith(f"Wrote {tmp_path / 'new' / name}.\n")
    assert "Both" in (tmp_path / "new" / "map.svg").read_text("utf-8")
    assert "fast, λ_IG = 2.15e-2" in (tmp_path / "new" / "table.csv").read_text("utf-8")
    assert {(path, protocol.speech, folder) for path, protocol, folder in judged} == {(model, "fsdd", tmp_path)}


def test_what_can_be_chosen_and_so_can_the_corpora(tmp_path, model, judged):
    result = export(model, "--what", "confusions", "--to", tmp_path / "c.png", "--speech", "voices", "--seed", 3)
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "c.png") as picture:
        assert picture.width > picture.height > 500
    assert [(protocol.speech, protocol.seed) for _, protocol, _ in judged] == [("voices", 3)]


@pytest.mark.usefixtures("_blank_figures")
def test_a_folder_holds_everything_in_every_format(tmp_path, model):
    to = tmp_path / "all"
    result = export(model, "--to", to)
    assert result.exit_code == 0, result.output
    figures = {f"{name}.{kind}" for name in ("figure2", "confusions") for kind in ("png", "svg", "pdf")}
    assert written(to) == figures | {"numbers.csv", "numbers.md", "numbers.tex"} | {
        "embeddings.npz",
        "embeddings.parquet",
        "report.html",
    }
    assert (to / "projector" / "projector_config.pbtxt").is_file()


@pytest.mark.usefixtures("_blank_figures")
def test_runs_bring_their_names_and_curves_and_sweeps_their_table(tmp_path, model, run, swept):
    to = tmp_path / "all"
    result = export(model, run, swept, "--to", to)
    assert result.exit_code == 0, result.output
    found = written(to)
    assert {"curves.svg", "figure3.pdf", "sweep.tex", "figure2.png"} <= found
    assert {"The-other-one/confusions.png", "fast-λ_IG-2.15e-2/embeddings.npz"} <= found
    assert not {"confusions.png", "embeddings.npz"} & found, "of which of the two?"
    head = (to / "numbers.md").read_text("utf-8").splitlines()[0]
    assert "| fast, λ_IG = 2.15e-2 | The other one | the paper, λ_IG = 2.15e-2 | the paper, λ_IG = 0 |" in head


def test_models_of_one_description_are_told_apart(tmp_path, model):
    export(model, model, model, "--to", tmp_path / "n.md")
    head = (tmp_path / "n.md").read_text("utf-8").splitlines()[0]
    assert "| fast, λ_IG = 2.15e-2 | fast, λ_IG = 2.15e-2 (2) | fast, λ_IG = 2.15e-2 (3) |" in head


def test_a_sweep_alone_gives_figure_3_and_its_table_and_judges_nothing(tmp_path, swept, judged):
    for name, words in (("f.svg", "measured here"), ("t.md", "0.980 (0.970–0.990)")):
        result = export(swept / "sweep.safetensors", "--to", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert words in (tmp_path / name).read_text("utf-8")
    assert judged == []


def test_what_is_shipped_is_written_by_default(tmp_path, model, swept, judged, monkeypatch):
    monkeypatch.setattr(locations, "shipped_model", lambda: model)
    monkeypatch.setattr(locations, "shipped_sweep", lambda: swept / "sweep.safetensors")
    assert export("--to", tmp_path / "r.html").exit_code == 0
    assert "Sweep over" in (tmp_path / "r.html").read_text("utf-8")
    assert [path for path, *_ in judged] == [model]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "f.gif"], "Nothing here can be written as 'f.gif'"),
        (["--to", "f.svg", "--what", "numbers"], "csv, md, tex, not as 'f.svg'"),
        (["--to", "f.svg", "--what", "figure3"], "figure3 needs a sweep"),
        (["--to", "f.svg", "--what", "curves"], "curves needs a run's folder with its metrics"),
        (["--to", "f.svg", "--what", "poem"], "No export is called 'poem'"),
        (["--to", "f.svg", "--speech", "mnist"], "'mnist' is not the name of one corpus of speech inputs"),
    ],
)
def test_wrong_wishes_are_told_as_wrong_use(tmp_path, monkeypatch, model, arguments, words):
    monkeypatch.chdir(tmp_path)
    result = export(model, *arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "f.svg").exists()


def test_what_cannot_be_judged_or_written_is_told_in_one_line(tmp_path, model, monkeypatch):
    result = export(tmp_path / "nothing", "--to", tmp_path / "f.svg")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "no model in" in result.stderr

    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.txt").write_text("years of work")
    result = export(model, "--what", "projector", "--to", tmp_path / "thesis")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "something else" in result.stderr

    def refuse(*_):
        raise EvaluationError("The posteriors hold values that are not finite: the model has diverged.")

    monkeypatch.setattr(jobs, "evaluate_checkpoint", refuse)
    result = export(model, "--to", tmp_path / "f.svg")
    assert result.exit_code == 1
    assert "diverged" in result.stderr


@pytest.mark.usefixtures("_blank_figures")
def test_the_worker_writes_what_it_is_asked_for(tmp_path, swept):
    evaluation().save(tmp_path / "kept")
    said, noisy = [], made_with(locations.shipped_model())
    context = type("Context", (), {"send": lambda _self, message: said.append(message)})()
    for what, writer in WRITERS.items():
        if writer.needs == "runs":
            continue
        to = tmp_path / "out" / (f"{what}.{writer.formats[-1]}" if writer.formats else what)
        request = {
            "what": what,
            "to": str(to),
            "models": [["one", str(tmp_path / "kept")]],
            "sweep": str(swept / "sweep.safetensors"),
            "noisy": [["one", noisy.to_dict()]],
        }
        job(request, context)
        assert to.exists()
        assert said[-1] == {"say": "exported", "path": str(to)}


def test_the_command_line_starts_without_what_draws():
    # Typing `modinv --help` need not wait for it; this process has long drawn, so another one has to tell.
    assert not imported_by("import model.cli.main") & {"matplotlib", "torch", "pyarrow"}
