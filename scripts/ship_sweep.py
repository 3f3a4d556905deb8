"""Ship a finished sweep or comparison: ``python scripts/ship_sweep.py FOLDER --data-dir DATA``.

It evaluates the complete runs in the folder, which it only reads (earlier evaluations come from the cache), aligns
their maps, and writes ``assets/sweep.safetensors`` and ``assets/sweep.md``, or ``assets/comparison.*``. Incomplete runs
are ignored.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from model import locations
from model.evaluation.sweep_results import SweepResults
from model.export import tables
from model.export.words import listed
from model.recipes.recipe import FAST, lambda_text
from model.sweeps.records import SweepRecord
from model.sweeps.results import Results
from model.sweeps.runner import Evaluated, RunFailed, SweepEnded, sweep

LARGEST = 5_000_000

DESCRIPTION = """\
# The {what} that ships

`{file}` contains the results of {models} models: {which}, with seed{s} {seeds}; recipe "{recipe}",
{steps:,} steps{changed} on {corpora}.
`scripts/ship_sweep.py` wrote it; `modinv {command}` writes files of the same format.

It contains

- the evaluation of each model on unseen test inputs, {images} images and {speech} utterances;
- for each {each}, of the model of the first seed: embeddings of {shown_images} test images and {shown_utterances}
  test utterances, one sample of each posterior, and their coordinates in a t-SNE map that starts from its neighbour's
  and is aligned to it;
- the pictures of these images, from MNIST (Yann LeCun, Corinna Cortes, Christopher J.C. Burges; CC BY-SA 3.0);
- names, speakers and digits of the utterances, which are from the Free Spoken Digit Dataset (Zohar Jackson and others,
  CC BY-SA 4.0). Recordings and features are not included; the recordings can be played if the corpus is installed.

Everything else is under the licence of modinv (MIT).

{table}"""


def main(
    folder: Annotated[Path, typer.Argument(help="Folder of the runs, with a sub-folder for each run.", exists=True)],
    data_dir: Path | None = None,
) -> None:
    """Evaluate the complete runs and write the assets."""
    console = Console(stderr=True)
    results: Results | None = None
    for event in sweep(SweepRecord(folder).plan(), folder, train=False, data=data_dir):
        match event:
            case Evaluated(name, report):
                console.print(f"{name}: purity {report.purity.mean:.3f}, modality SVM {report.modality_svm.mean:.3f}")
            case RunFailed(name, message):
                raise SystemExit(f"{name} can't be evaluated: {message}")
            case SweepEnded():
                results = event.results
    assert results is not None, "nothing asked it to stop"
    swept = isinstance(results, SweepResults)
    file = locations.shipped_sweep() if swept else locations.shipped_comparison()
    results.save(file)
    size = file.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{file} has {size / 1e6:.1f} MB, which is too large.")
    file.with_suffix(".md").write_text(description(results, file.name), "utf-8")
    console.print(f"Wrote {file} ({size / 1e6:.1f} MB) and a description beside it.")


def description(results: Results, name: str) -> str:
    """Description of the file: content, origin and table."""
    setting, measured = results.setting, results.rows[0].report.setting
    shown_images = len(results.image_features)
    seeds = sorted({row.seed for row in results.rows})
    if isinstance(results, SweepResults):
        what, command, each = "sweep", "sweep", "lambda_IG"
        which = f"lambda_IG {listed([lambda_text(lambda_ig) for lambda_ig in results.lambdas])}"
    else:
        what, command, each = "comparison", "compare", "system"
        which = f"systems {listed([f'*{name}*' for name in results.systems])}"
    batch = setting["recipe"]["batch_size"]
    return DESCRIPTION.format(
        what=what,
        command=command,
        each=each,
        file=name,
        which=which,
        models=len(results.rows),
        s="s" if len(seeds) > 1 else "",
        seeds=listed([str(seed) for seed in seeds]),
        recipe=setting["recipe"]["name"],
        steps=setting["steps"],
        changed="" if batch == FAST.batch_size else f" of {batch} pairs",
        corpora=listed([*setting["trained_on"]["images"], *setting["trained_on"]["speech"]]),
        images=f"{measured['n_images']:,}",
        speech=f"{measured['n_utterances']:,}",
        shown_images=shown_images,
        shown_utterances=len(results.items) - shown_images,
        table=tables.of_results(results).markdown(),
    )


if __name__ == "__main__":
    typer.run(main)
