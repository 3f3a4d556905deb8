"""Ship a finished sweep: ``python scripts/ship_sweep.py FOLDER --data-dir DATA``.

It judges the complete runs in the folder, which it only reads (what was judged before comes from the cache), lays
their maps upon each other, and writes ``assets/sweep.safetensors`` and, for people, ``assets/sweep.md``. Incomplete
runs are left out.
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
from model.recipes.recipe import lambda_text
from model.sweeps.runner import Evaluated, RunFailed, SweepEnded, found_in, sweep

LARGEST = 5_000_000

DESCRIPTION = """\
# The sweep that ships

`sweep.safetensors` holds what was found when {models} models were trained and judged: for lambda_IG
{lambdas}, with seed{s} {seeds}; recipe "{recipe}", {steps:,} steps on {corpora}.
`modinv sweep` makes such a file, `scripts/ship_sweep.py` this one.

In it are

- every model's figures on unseen test inputs, {images} images and {speech} utterances;
- for each lambda_IG, of the first seed's model: embeddings of {shown_images} test images and {shown_utterances} test
  utterances, one sample of each posterior, and where they lie in a t-SNE map that begins as its
  neighbour's and is aligned to it;
- the pictures of these images, from MNIST (Yann LeCun, Corinna Cortes, Christopher J.C. Burges; CC BY-SA 3.0);
- of the utterances nothing but names, speakers and digits. They are from the Free Spoken Digit Dataset (Zohar Jackson
  and others, CC BY-SA 4.0), of whose recordings nothing is in here; they can be listened to where it is installed.

All the rest is under the licence of modinv (MIT).

{table}"""


def main(
    folder: Annotated[Path, typer.Argument(help="Of the sweep: a folder for every run.", exists=True)],
    data_dir: Path | None = None,
) -> None:
    """Judge what is complete and ship it."""
    console = Console(stderr=True)
    results: SweepResults | None = None
    for event in sweep(found_in(folder), folder, train=False, data=data_dir):
        match event:
            case Evaluated(name, row):
                report = row.report
                console.print(f"{name}: purity {report.purity.mean:.3f}, modality SVM {report.modality_svm.mean:.3f}")
            case RunFailed(name, message):
                raise SystemExit(f"{name} can't be judged: {message}")
            case SweepEnded():
                results = event.results
    assert results is not None, "nothing asked the sweep to stop"
    file = locations.shipped_sweep()
    results.save(file)
    size = file.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{file} has {size / 1e6:.1f} MB, more than it may have.")
    file.with_suffix(".md").write_text(description(results), "utf-8")
    console.print(f"Wrote {file} ({size / 1e6:.1f} MB) and sweep.md beside it.")


def description(results: SweepResults) -> str:
    """What the file holds, where it comes from, and its table."""
    setting, measured = results.setting, results.rows[0].report.setting
    shown_images = len(results.image_features)
    seeds = sorted({row.seed for row in results.rows})
    return DESCRIPTION.format(
        models=len(results.rows),
        lambdas=listed([lambda_text(lambda_ig) for lambda_ig in results.lambdas]),
        s="s" if len(seeds) > 1 else "",
        seeds=listed([str(seed) for seed in seeds]),
        recipe=setting["recipe"]["name"],
        steps=setting["steps"],
        corpora=listed([*setting["trained_on"]["images"], *setting["trained_on"]["speech"]]),
        images=f"{measured['n_images']:,}",
        speech=f"{measured['n_utterances']:,}",
        shown_images=shown_images,
        shown_utterances=len(results.items) - shown_images,
        table=tables.sweep(results.rows).markdown(),
    )


if __name__ == "__main__":
    typer.run(main)
