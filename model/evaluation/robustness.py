"""Recognition in noise, rooms and by bad microphones, of one model on one corpus: measured, cached by content, and read
from the headers of models whose makers have measured it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model import locations
from model.checkpoints import UnusableCheckpoint, read_header, write_bytes_atomically
from model.data import curation
from model.data.conditions import CONDITIONS
from model.evaluation.protocol import EvaluationProtocol
from model.evaluation.store import EVALUATION_CODE, content_name
from model.parsing import parse, read_json
from model.progress import Cancelled, JobContext

if TYPE_CHECKING:
    from model.data.samples import Samples

log = logging.getLogger(__name__)

_MODEL = Path(__file__).parents[1]
_FRONT_END = ("conditions", "distortions", "speech", "log_mel", "endpoints", "voice_activity")
_CODE = (
    *EVALUATION_CODE,
    *(_MODEL / "data" / f"{name}.py" for name in _FRONT_END),
    *(_MODEL / "retrieval" / f"{name}.py" for name in ("gallery", "retriever")),
)


@dataclass(frozen=True, slots=True)
class Recognition:
    """How many utterances are recognised in a condition.

    Attributes
    ----------
    name, title, kind, level
        Of the :class:`Condition`.
    right, count
        Utterances recognised, and all.
    undetected
        Those in which the front end found no speech; they count as wrong.
    low, high
        95 % interval of the share, by Clopper and Pearson.
    """

    name: str
    title: str
    kind: str
    level: float | None
    right: int
    count: int
    undetected: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Share of utterances that are recognised."""
        return self.right / self.count


@dataclass(frozen=True, slots=True)
class Robustness:
    """How many utterances of a corpus a model recognises in each condition.

    Attributes
    ----------
    corpus, split
        Name of the corpus, and the split.
    utterances
        How many by how many speakers, in words: ``"81 utterances by 41 strangers"``.
    results
        Of the conditions measured so far, in the order of :data:`~model.data.conditions.CONDITIONS`.
    inputs
        Fingerprint of the utterances; empty if they were measured by the maker of the model.
    """

    corpus: str
    split: str
    utterances: str
    results: tuple[Recognition, ...]
    inputs: str = ""

    @property
    def setting(self) -> str:
        """On what it was measured: ``"wild, validation data: 81 utterances by 41 strangers"``."""
        return f"{self.corpus}, {self.split} data: {self.utterances}"

    @property
    def complete(self) -> bool:
        """Whether all conditions have been measured."""
        return [one.name for one in self.results] == list(CONDITIONS)

    def of_kind(self, kind: str) -> tuple[Recognition, ...]:
        """The results of the conditions of one kind, such as ``"white"``."""
        return tuple(one for one in self.results if one.kind == kind)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Any) -> Robustness:
        """The inverse of :meth:`to_dict`; raises ``ValueError`` for anything else."""
        found = parse(cls, values, "the robustness")
        for one in found.results:
            if not (0 <= one.right <= one.count and one.count and 0 <= one.low <= one.high <= 1):
                raise ValueError(f"{one.name} has impossible counts")
        return found


def of_header(header: Mapping[str, Any]) -> Robustness | None:
    """What the maker of a model has measured, from the header of its file; ``None`` if nothing."""
    try:
        metrics = header["metrics"]["conditions"]
        values = {name: metrics[name] for name in ("corpus", "split")}
        return Robustness.from_dict({**values, "utterances": metrics["speech"], "results": metrics["recognition"]})
    except (LookupError, TypeError, ValueError):  # not measured, or the file of another program
        return None


def find(checkpoint: Path, protocol: EvaluationProtocol) -> Robustness | None:
    """What is known of a model in the setting of a protocol: measured before, or by its maker.

    Raises ``OSError`` if the model's file can't be read. Whether the utterances are still the same is not looked at.
    """
    if (known := _kept(_file(checkpoint, protocol))) is not None:
        return known
    made = made_with(checkpoint)
    same = made is not None and (made.corpus, made.split) == (protocol.speech, protocol.split)
    same = same and not curation.state([protocol.speech])  # its maker had the items as they were published
    return made if same and made is not None and made.complete and not protocol.speaker else None


def made_with(checkpoint: Path) -> Robustness | None:
    """As :func:`of_header`, from a model's file."""
    try:
        return of_header(read_header(checkpoint))
    except UnusableCheckpoint:
        return None


def measure(
    checkpoint: Path, protocol: EvaluationProtocol, context: JobContext, folder: Path | None = None
) -> Iterator[Robustness]:
    """Measure a model in all conditions, or find what was measured before on the same utterances.

    Parameters
    ----------
    checkpoint
        File of the model.
    protocol
        Chooses the utterances; its images, seed and resamplings have no effect.
    context
        Is sent ``progress``; is asked between a few utterances whether to stop.
    folder
        Of the corpora; by default the user's.

    Yields
    ------
    Robustness
        After each condition; the last one is complete, and cached.

    Raises
    ------
    Cancelled
        If the context is cancelled.
    UnusableCheckpoint, MissingData
        If the model or the corpus can't be used.
    ValueError
        If the corpus or the speaker is unknown.
    """
    from model.evaluation.inputs import fingerprint, load_inputs  # late: their libraries take time to import
    from model.evaluation.recognition import recognise
    from model.retrieval.gallery import Gallery
    from model.systems.model_io import best_device, load_model
    from model.types import Modality

    context.progress(None, f"Loading the model and the {protocol.split} data")
    system, header = load_model(checkpoint, best_device())
    speech = load_inputs(
        Modality.SPEECH, protocol.speech, protocol.split, protocol.speaker, header.data, folder, context.progress
    )
    state, file = fingerprint(speech), _file(checkpoint, protocol)
    known = _kept(file)
    if known is not None and known.inputs == state:
        yield known
        return
    found = Robustness(protocol.speech, protocol.split, _utterances(speech), (), state)
    gallery = Gallery.load(locations.shipped_gallery())
    for one in recognise(system, header, gallery, speech, folder, context.progress):
        found = replace(found, results=(*found.results, one))
        if found.complete:
            _keep(found, file)
        yield found


def measure_for_window(request: Mapping[str, Any], context: JobContext) -> None:
    """The worker's job: ``{"checkpoint": path, "protocol": {...}}``.

    Sends ``progress`` (share, text), ``robustness`` (found: see :meth:`Robustness.to_dict`) after each condition, and
    ``stopped`` if it is cancelled.
    """
    protocol = EvaluationProtocol.from_dict(request["protocol"])
    try:
        for found in measure(Path(request["checkpoint"]), protocol, context):
            context.send({"say": "robustness", "found": found.to_dict()})
    except Cancelled:
        context.send({"say": "stopped"})


def _utterances(speech: Samples) -> str:
    speakers, changed = len(set(speech.speakers)), curation.in_words(curation.tally(speech.changes))
    words = f"{len(speech):,} utterances by {speakers:,} speaker{'' if speakers == 1 else 's'}"
    return f"{words} ({changed} by the user)" if changed else words


def _file(checkpoint: Path, protocol: EvaluationProtocol) -> Path:
    """Where the results lie, or would lie: by content of model, gallery, decisions and code, as evaluations."""
    gallery = content_name(locations.shipped_gallery(), "", ())
    how: list[Any] = [protocol.speech, protocol.split, protocol.speaker, gallery]
    if decided := curation.state([protocol.speech]):
        how.append(decided)
    return locations.cache() / "conditions" / f"{content_name(checkpoint, how, _CODE)}.json"


def _kept(file: Path) -> Robustness | None:
    with suppress(OSError, ValueError):
        found = Robustness.from_dict(read_json(file))
        return found if found.complete else None
    return None


def _keep(found: Robustness, file: Path) -> None:
    try:
        write_bytes_atomically(file, json.dumps(found.to_dict(), ensure_ascii=False).encode())
    except OSError as error:
        log.warning("The results in noise can't be kept for next time: %s", error)
