"""A sweep with several runs at the same time, against one run after another: how much sooner it is done."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from model.cores import available_cores
from model.processes import environment, python
from model.recipes.recipe import named
from model.sweeps.plans import SweepPlan
from model.sweeps.records import SweepRecord
from model.training.config import TrainingConfig

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests"))

from tiny import write_corpora  # noqa: E402

LAMBDAS = (0.0, 1e-5, 6.81e-5, 4.64e-4, 3.16e-3, 2.15e-2, 1.47e-1, 1.0)


def sweep(folder: Path, data: Path, arguments: argparse.Namespace, *, jobs: int, threads: int) -> float:
    """Seconds that ``modinv sweep`` takes in a folder, whose plan says with how many threads a run computes."""
    recipe = named("fast", steps=arguments.steps, batch_size=arguments.pairs)
    lambdas = LAMBDAS[: arguments.values]
    plan = SweepPlan(TrainingConfig(recipe, ("mnist", "fsdd"), device="cpu"), lambdas, threads=threads)
    SweepRecord(folder).keep_plan(plan)
    command = python(
        *("-c", "from model.cli.main import main; main()", "sweep", "--out", str(folder), "--data-dir", str(data)),
        *("--lambdas", ",".join(map(str, lambdas)), "--jobs", str(jobs), "--device", "cpu"),
        *("--steps", str(arguments.steps), "--set", f"batch_size={arguments.pairs}"),
    )
    env = {
        **environment(),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
        "XDG_CACHE_HOME": f"{folder}-cache",  # so that nothing is found in the cache that another way has left there
        "MPLCONFIGDIR": str(folder.parent / "matplotlib"),  # but for the list of fonts, which takes seconds to make
    }
    subprocess.run(python("-c", "import matplotlib.font_manager"), env=env, check=True, capture_output=True)
    started = time.perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=not arguments.verbose)
    taken = time.perf_counter() - started
    if not (folder / "sweep.safetensors").is_file():
        raise SystemExit("The sweep has no results; --verbose shows why.")
    return taken


def models(folder: Path) -> list[bytes]:
    """All models of a sweep."""
    return [(folder / run.name / "model.safetensors").read_bytes() for run in SweepRecord(folder).plan().runs()]


def main() -> None:
    """Print JSON: seconds of each way, and ratios."""
    parser = argparse.ArgumentParser(description="A sweep with several runs at the same time, against one at a time.")
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time")
    parser.add_argument("--values", type=int, default=8, help="values of lambda_IG, 8 at most")
    parser.add_argument("--steps", type=int, default=60, help="of each run")
    parser.add_argument("--pairs", type=int, default=32, help="of each step")
    parser.add_argument("--verbose", action="store_true", help="show the sweeps")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        data = write_corpora(place / "data")
        cores = available_cores()
        serial = sweep(place / "serial", data, arguments, jobs=1, threads=1)
        parallel = sweep(place / "parallel", data, arguments, jobs=arguments.jobs, threads=1)
        all_threads = sweep(place / "threads", data, arguments, jobs=1, threads=cores) if cores > 1 else serial
        same = models(place / "serial") == models(place / "parallel")
    report = {
        "cores": cores,
        "seconds": {"one_at_a_time": serial, "one_at_a_time_on_all_cores": all_threads, "at_the_same_time": parallel},
        "jobs": arguments.jobs,
        "speed_up": serial / parallel,
        "speed_up_over_all_cores": all_threads / parallel,
        "same_models": same,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
