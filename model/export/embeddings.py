"""Exports of embeddings: npz, Parquet, and TensorBoard's projector."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from model.checkpoints import write_bytes_atomically
from model.export import words
from model.types import FloatArray

if TYPE_CHECKING:
    from model.evaluation.store import Evaluation

FORMATS = ("npz", "parquet")

_PICTURE = 28  # pixels: side of an image, and of a thumbnail of a filterbank
_CONFIG = "projector_config.pbtxt"


def save(evaluation: Evaluation, path: Path) -> None:
    """Write the posteriors and descriptions of all inputs as npz or Parquet, by the path's suffix; images first.

    npz: ``mean`` and ``log_variance`` ``(n, 128)``; ``modality``, ``label``, ``speaker`` and ``source`` ``(n,)``;
    ``setting``, JSON. Parquet: the same columns, a row per input, the setting in the schema's metadata.

    Raises ``ValueError`` if the suffix is another one, and ``OSError``.
    """
    pack = {"npz": _npz, "parquet": _parquet}[words.suffix_in(FORMATS, path, "Embeddings are")]
    write_bytes_atomically(path, pack(_columns(evaluation), json.dumps(dict(evaluation.report.setting))))


def picture(features: FloatArray) -> npt.NDArray[np.uint8]:
    """Encoder input as a picture: ``(28, 28)`` of an image, ``(80, 100)`` of sound, low frequencies at the bottom."""
    # Normalised energies range from about -1.5, silence, to 2.5.
    shade = features if features.shape == (_PICTURE, _PICTURE) else (features.T[::-1] + 1.5) / 4
    return np.asarray(np.rint(np.clip(shade, 0, 1) * 255), np.uint8)


def thumbnails(evaluation: Evaluation, data_dir: Path | None = None) -> npt.NDArray[np.uint8]:
    """A picture of each input, ``(n, 28, 28)``: the image, or the filterbank with time from left to right.

    Raises ``MissingData`` if a corpus is missing or has changed since the evaluation.
    """
    return np.stack([_thumbnail(evaluation.features(item.index, data_dir)) for item in evaluation.items()])


def projector(evaluation: Evaluation, folder: Path, pictures: npt.NDArray[np.uint8] | None = None) -> None:
    """Write a folder for ``tensorboard --logdir``: means of posteriors, their labels, and pictures.

    Parameters
    ----------
    evaluation
        An evaluated model.
    folder
        A new folder, or one that this function wrote before, which is replaced.
    pictures
        See :func:`thumbnails`; optional.

    Raises
    ------
    FileExistsError
        If the folder contains something else.
    OSError
        If it can't be written.
    """
    import torch
    from torch.utils.tensorboard import SummaryWriter

    if folder.exists() and any(folder.iterdir()):
        if not (folder / _CONFIG).is_file():
            raise FileExistsError(f"{folder} contains something else. Choose a new folder for the projector.")
        shutil.rmtree(folder)
    columns = _columns(evaluation)
    names = ("modality", "label", "speaker", "source")
    colours = None
    if pictures is not None:
        colours = torch.from_numpy(pictures).float().div(255)[:, None].expand(-1, 3, -1, -1)
    with SummaryWriter(str(folder)) as writer:
        writer.add_embedding(
            np.round(columns["mean"].astype(np.float64), 4),  # written as text
            metadata=[
                tuple(map(words.cell, row)) for row in zip(*(columns[name].tolist() for name in names), strict=True)
            ],
            metadata_header=list(names),
            label_img=colours,
            tag="embeddings",
        )


def _columns(evaluation: Evaluation) -> dict[str, npt.NDArray[Any]]:
    sides, items = evaluation.posteriors(), evaluation.items()
    return {
        "modality": np.array([str(item.modality) for item in items]),
        "label": np.array([item.label for item in items], np.int8),
        "speaker": np.array([item.speaker for item in items]),
        "source": np.array([item.source for item in items]),
        "mean": np.concatenate([side.means for side in sides]),
        "log_variance": np.concatenate([side.log_variances for side in sides]),
    }


def _npz(columns: dict[str, npt.NDArray[Any]], setting: str) -> bytes:
    content = io.BytesIO()
    arrays: dict[str, Any] = {**columns, "setting": np.array(setting)}
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def _parquet(columns: dict[str, npt.NDArray[Any]], setting: str) -> bytes:
    import pyarrow
    import pyarrow.parquet

    arrays = {
        name: pyarrow.array(column)
        if column.ndim == 1
        else pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(column.ravel()), column.shape[1])
        for name, column in columns.items()
    }
    table = pyarrow.table(arrays).replace_schema_metadata({"modinv": setting})
    content = io.BytesIO()
    pyarrow.parquet.write_table(table, content, compression="zstd")
    return content.getvalue()


def _thumbnail(features: FloatArray) -> npt.NDArray[np.uint8]:
    from PIL import Image

    shade = picture(features)
    if shade.shape == (_PICTURE, _PICTURE):
        return shade
    return np.asarray(Image.fromarray(shade).resize((_PICTURE, _PICTURE), Image.Resampling.BOX))
