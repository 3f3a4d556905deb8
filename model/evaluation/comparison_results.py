"""What a comparison of systems found: a row for every model, and maps of the same test items that can be morphed.

Plain numpy, without torch: the window shows it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from model.checkpoints import Arrays, read_as, write_atomically
from model.evaluation.aligned_maps import AlignedMaps, fields_from, over_seeds
from model.evaluation.report import Interval, Report, parse_report
from model.parsing import parse


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One model of a comparison.

    Attributes
    ----------
    system, seed
        Name of the system in the comparison, and seed of the training.
    report
        Its evaluation.
    seconds
        Duration of the training; 0 if it is not recorded.
    parameters
        Number of trained weights of all its networks.
    """

    system: str
    seed: int
    report: Report
    seconds: float
    parameters: int


@dataclass(frozen=True, slots=True, eq=False)
class ComparisonResults(AlignedMaps):
    """A finished comparison: the maps are those of the first seed's model of each system.

    Attributes
    ----------
    systems
        Of the maps: names, in the order of the comparison.
    settings
        By system: what it changes of the common recipe, as typed for ``--set``.
    rows
        Every model, in the order of systems, then by seed.
    """

    systems: tuple[str, ...]
    settings: Mapping[str, tuple[str, ...]]
    rows: tuple[ComparisonRow, ...]

    def over_seeds(self, system: str, figure: Callable[[Report], float]) -> Interval:
        """Any figure of the reports over the seeds of one system; raises ``KeyError`` where it was not trained."""
        return over_seeds((row.report for row in self.rows if row.system == system), figure)

    def save(self, path: Path) -> None:
        """Write everything to one file, all or nothing."""
        arrays, header = self.on_disk("comparison")
        header |= {
            "systems": {name: list(self.settings[name]) for name in self.systems},
            "rows": [{**asdict(row), "report": row.report.to_json_dict()} for row in self.rows],
        }
        write_atomically(path, arrays, header)

    @classmethod
    def load(cls, path: Path) -> ComparisonResults:
        """The inverse of :meth:`save`; raises :class:`~model.checkpoints.UnusableCheckpoint`."""
        return read_as("comparison", path, cls._from)

    @classmethod
    def _from(cls, arrays: Arrays, header: Mapping[str, Any]) -> ComparisonResults:
        settings = parse(dict[str, tuple[str, ...]], header.get("systems"), "systems")
        rows = tuple(_row(values) for values in parse(list[dict[str, Any]], header.get("rows"), "rows"))
        if not settings or {row.system for row in rows} != set(settings):
            raise ValueError("its maps and its rows are of different systems")
        return cls(**fields_from(arrays, header, len(settings)), systems=tuple(settings), settings=settings, rows=rows)


def _row(values: Mapping[str, Any]) -> ComparisonRow:
    return ComparisonRow(
        parse(str, values.get("system"), "system"),
        parse(int, values.get("seed"), "seed"),
        parse_report(values.get("report")),
        parse(float, values.get("seconds"), "seconds"),
        parse(int, values.get("parameters"), "parameters"),
    )
