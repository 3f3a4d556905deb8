"""``python -m tests.fuzz pictures sounds --count 5000``: damaged inputs, and what came of them."""

import argparse
import itertools
import sys

from tests.fuzz import harness


def main() -> int:
    """Print one line of JSON a kind, and each finding; 1 if there were any."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("kinds", nargs="*", default=harness.kinds(), help=f"of {', '.join(harness.kinds())}")
    parser.add_argument("--count", type=int, default=1000, help="inputs of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="use the case with this number here, so that a debugger sees it")
    wanted = parser.parse_args()
    found = False
    for kind in wanted.kinds:
        if wanted.only is not None:
            module = harness.module_of(kind)
            name, content = next(itertools.islice(module.cases(wanted.count, wanted.seed), wanted.only, None))
            print(name, module.use(content), sep=": ")
            continue
        report = harness.run(kind, wanted.count, wanted.seed)
        for finding in report.findings:
            print(f"{kind} {finding.number} ({finding.name}): {finding.what}\n{finding.details}", file=sys.stderr)
        print(report.to_json(), flush=True)
        found |= bool(report.findings)
    return int(found)


if __name__ == "__main__":
    sys.exit(main())
