"""ONNX graphs from the arrays of a checkpoint, and how they are run."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper

from model.checkpoints import Arrays, UnusableCheckpoint
from model.types import FloatArray

_OPSET, _IR_VERSION = 17, 8  # ONNX Runtime reads no versions later than it knows
_BATCH = 32  # inputs at once: more are no faster, and take up to a gigabyte of memory

Tensor = tuple[str, tuple[int, ...]]
"""Name and shape of an input or output, without the number of inputs."""


class GraphBuilder:
    """Collects the nodes of a graph, and weights from the arrays of a checkpoint."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self._model = onnx.ModelProto(producer_name="modinv", ir_version=_IR_VERSION)
        self._model.opset_import.append(helper.make_opsetid("", _OPSET))
        self._graph = self._model.graph

    def node(self, operator: str, inputs: list[str], output: str | tuple[str, ...] = (), **attributes: Any) -> str:
        """Add a node; its first output, which gets a name if none is given."""
        outputs = (output,) if isinstance(output, str) else output or (f"{operator.lower()}{len(self._graph.node)}",)
        self._graph.node.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0]

    def constant(self, array: npt.NDArray[Any]) -> str:
        """Add a constant; its name."""
        name = f"constant{len(self._graph.initializer)}"
        # In place, because messages are copied when they are added to others: a model has millions of weights.
        self._graph.initializer.add(
            name=name,
            dims=array.shape,
            data_type=helper.np_dtype_to_tensor_dtype(array.dtype),
            raw_data=array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes(),
        )
        return name

    def weights(self, name: str, shape: tuple[int, ...] | None = None) -> str:
        """Add an array of the checkpoint, which is used in float32 whatever it is kept in; its name in the graph.

        Raises :class:`UnusableCheckpoint` if there is none, or none of the wanted shape, or if its values are no finite
        numbers.
        """
        array = self._arrays.get(name)
        expect(array is not None and array.dtype in (np.float16, np.float32) and shape in (None, array.shape))
        assert array is not None
        if not np.isfinite(array).all():
            raise UnusableCheckpoint(f"The checkpoint holds weights that are no finite numbers ({name}).")
        constant = self.constant(array)
        return self.node("Cast", [constant], to=TensorProto.FLOAT) if array.dtype == np.float16 else constant

    def model(
        self, title: str, source: Tensor, outputs: list[Tensor], metadata: Mapping[str, str] | None = None
    ) -> onnx.ModelProto:
        """Everything as one model, for any number of inputs at once."""
        self._graph.name = title
        for side, tensors in (self._graph.input, [source]), (self._graph.output, outputs):
            side.extend(
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape]) for name, shape in tensors
            )
        helper.set_model_props(self._model, dict(metadata or {}))
        return self._model


def expect(fits: bool) -> None:
    """Raise :class:`UnusableCheckpoint` if what is in the checkpoint does not fit the networks."""
    if not fits:
        raise UnusableCheckpoint("The checkpoint's weights don't fit this model's networks.")


class Network:
    """A graph with one input that ONNX Runtime executes, with one thread: a query is too little work for several.

    It is prepared with the first inputs, so that what is never used takes little memory. Any thread may use it.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model: bytes = model.SerializeToString()
        self._session: Any = None
        self._preparing = threading.Lock()

    def run(self, inputs: npt.NDArray[np.floating[Any]]) -> list[FloatArray]:
        """All outputs for ``(n, ...)`` inputs of any floating type; perhaps for none."""
        with self._preparing:
            if self._session is None:
                options = onnxruntime.SessionOptions()
                options.intra_op_num_threads = options.inter_op_num_threads = 1
                self._session = onnxruntime.InferenceSession(self._model, options, providers=["CPUExecutionProvider"])
                self._model = b""
        name = self._session.get_inputs()[0].name
        parts = [
            self._session.run(None, {name: np.ascontiguousarray(inputs[start : start + _BATCH], np.float32)})
            for start in range(0, max(1, len(inputs)), _BATCH)
        ]
        return [np.concatenate(output) for output in zip(*parts, strict=True)]
