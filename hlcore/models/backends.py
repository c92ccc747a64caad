"""Run a network in a library that fuses its layers on CPUs: ONNX Runtime, OpenVINO or torch's own compiler."""

import copy
import importlib.util
import logging
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from hlcore.errors import InvalidInputError
from hlcore.models.hardness import HardnessSegmenter, SegmentationOutput

log = logging.getLogger(__name__)

ExportBackend = Literal["openvino", "onnxruntime"]
EXPORT_BACKENDS: tuple[ExportBackend, ...] = get_args(ExportBackend)
"""Those that read an ONNX file, in the order of preference; docs/performance.md has their times."""
CompiledBackend = ExportBackend | Literal["compile"]
_EXTRAS = {"openvino": "openvino", "onnxruntime": "onnx"}
TOLERANCE = 1e-3
"""Largest difference of a logit or of D from torch's."""

Normalized = Float32[np.ndarray, "N 3 H W"]
Session = Callable[[Normalized], Sequence[np.ndarray]]


class CompiledSegmenter(HardnessSegmenter):
    """A network that runs in another library in evaluation mode; in training mode, and for its parts, torch runs it.

    Args:
        network: The network, on the CPU.
        session: Normalised, padded image -> logits and, with a hardness branch, D, both before resizing.
        backend: The library.
    """

    def __init__(self, network: HardnessSegmenter, session: Session, backend: CompiledBackend) -> None:
        super().__init__(
            network.encoder,
            network.segmentation_branch,
            network.hardness_branch,
            stride=network.stride,
            mean=network.mean.flatten().tolist(),
            std=network.std.flatten().tolist(),
            channels_last=network.memory_format == torch.channels_last,
        )
        self.train(network.training)
        self._network = [network]  # in a list, because a module's own parts must not contain it twice
        self._session = session
        self.backend = backend

    def __deepcopy__(self, memo: dict[int, Any]) -> HardnessSegmenter:
        """The network in torch: a copy may be trained, and then the session's weights are old."""
        return copy.deepcopy(self._network[0], memo)

    def forward(self, image: Tensor) -> SegmentationOutput:
        """As in torch, but not differentiable in evaluation mode."""
        if self.training:
            return super().forward(image)
        outputs = self._session(self.normalize(image).contiguous().numpy())
        logits, *hardness = (self.resize(torch.from_numpy(output), image.shape[-2:]) for output in outputs)
        return SegmentationOutput(logits, hardness[0] if hardness else None)


def choose_backend(name: str, device: torch.device) -> CompiledBackend | None:
    """The library that runs a network on a device; None for torch.

    Args:
        name: "torch", "compile", one of EXPORT_BACKENDS, or "auto" for the first of these that is installed, on the
            CPU. "auto" never compiles, which takes a minute.
        device: The device of the network.

    Raises:
        InvalidInputError: the library is not installed, or does not run on the device.
    """
    if name == "torch" or (name == "auto" and device.type != "cpu"):
        return None
    if name == "auto":
        return next((backend for backend in EXPORT_BACKENDS if _is_installed(backend)), None)
    if name not in (*EXPORT_BACKENDS, "compile"):
        raise InvalidInputError(f"unknown backend {name!r}; known: auto, torch, compile, {', '.join(EXPORT_BACKENDS)}")
    if device.type != "cpu":
        raise InvalidInputError(f"the backend {name} runs on the CPU; use --device cpu, or --backend torch on {device}")
    if name == "compile":
        if find_compiler() is None:
            raise InvalidInputError(
                "the backend compile needs a C++ compiler, and there is none; install one such as g++, or name it in "
                "$CXX, or use --backend torch"
            )
        return "compile"
    backend: ExportBackend = name
    if not _is_installed(backend):
        raise InvalidInputError(f"the backend {name} is not installed; pip install 'hlcore[{_EXTRAS[backend]}]'")
    return backend


def export_network(network: HardnessSegmenter) -> bytes:
    """A network, without normalisation and resizing, as the content of an ONNX file for images of any size.

    Raises:
        RuntimeError: torch cannot export it.
    """
    names = ["logits", "hardness"][: 1 + (network.hardness_branch is not None)]
    return export_module(Traced(network).eval(), network.stride, names)


def export_module(module: nn.Module, stride: int, names: Sequence[str]) -> bytes:
    """A module that takes images N 3 H W, as the content of an ONNX file for images of any size.

    Args:
        module: In evaluation mode.
        stride: H and W are multiples of this.
        names: Of its outputs.

    Raises:
        RuntimeError: torch cannot export it.
    """
    if any(isinstance(part, nn.AdaptiveAvgPool2d) and part.output_size not in (1, (1, 1)) for part in module.modules()):
        raise RuntimeError("ONNX has no adaptive pooling for images of any size")
    side = 4 * stride
    axes = {0: "batch", 2: "height", 3: "width"}
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    torch._C._jit_set_onnx_log_output_stream("stderr")  # noqa: SLF001  (else what it cannot export is in the output)
    try:
        with (
            TemporaryDirectory() as folder,
            warnings.catch_warnings(),
            torch.inference_mode(),
        ):
            warnings.simplefilter("ignore")  # of the tracer, about sizes; `compare_outputs` finds what they mean
            torch.onnx.export(
                module,
                (torch.zeros(1, 3, side, side),),
                path := Path(folder, "network.onnx"),
                input_names=["image"],
                output_names=list(names),
                dynamic_axes=dict.fromkeys(["image", *names], axes),
                opset_version=17,
                dynamo=False,  # the newer exporter takes a minute instead of a second
            )
            return path.read_bytes()
    finally:
        logger.setLevel(before)


def open_session(exported: bytes, backend: ExportBackend) -> Session:
    """A network from `export_network`, ready to run with as many threads as torch uses.

    The libraries report nothing to their makers: without this, importing OpenVINO sends an event to a web service.
    """
    threads = torch.get_num_threads()
    if backend == "openvino":
        sys.modules.setdefault("openvino_telemetry", None)  # pyright: ignore[reportArgumentType] - as if not installed
        import openvino

        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        core = openvino.Core()
        compiled = core.compile_model(core.read_model(exported), "CPU", settings)
        return lambda image: [np.array(output) for output in compiled(image).values()]
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # on Windows
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads leave the cores to others
    session = onnxruntime.InferenceSession(exported, options, providers=["CPUExecutionProvider"])
    return lambda image: list(map(np.asarray, session.run(None, {"image": image})))


def compare_outputs(network: HardnessSegmenter, session: Session, *, least_side: int = 0) -> float:
    """Largest difference of a logit or of D between torch and a session, over two sizes that were not traced.

    NaN if one of them is NaN.

    Args:
        network: The network in torch.
        session: What is compared with it.
        least_side: Smallest side of the images, px.
    """
    return compare_module(Traced(network).eval(), network.stride, session, least_side=least_side)


def compare_module(module: nn.Module, stride: int, session: Session, *, least_side: int = 0, scale: float = 1) -> float:
    """Largest difference of an output between a module in torch and a session, as in `compare_outputs`.

    Args:
        module: Images N 3 H W -> outputs, in evaluation mode.
        stride: H and W are multiples of this.
        session: What is compared with it.
        least_side: Smallest side of the images, px.
        scale: Standard deviation of the images' values.
    """
    differences = []
    random = torch.Generator().manual_seed(0)
    least = -(-least_side // stride)
    for count, height, width in ((2, 2 + least, 5 + least), (1, 7 + least, 3 + least)):
        image = scale * torch.randn(count, 3, height * stride, width * stride, generator=random)
        with torch.inference_mode():
            expected = module(image)
        for output, wanted in zip(session(image.numpy()), expected, strict=True):
            if output.shape != wanted.shape:
                return float("inf")
            differences.append(np.abs(output - wanted.numpy()).max())
    return float(np.max(differences))


class Traced(nn.Module):
    """What other libraries run: normalised image -> logits and D, before resizing."""

    def __init__(self, network: HardnessSegmenter) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Float[Tensor, "N 3 H W"]) -> tuple[Tensor, ...]:
        features = self.network.encoder(image)
        branches = (self.network.segmentation_branch, self.network.hardness_branch)
        return tuple(branch(features) for branch in branches if branch is not None)


def find_compiler() -> str | None:
    """Path of the C++ compiler that torch.compile uses; None if there is none."""
    usual = {"win32": "cl", "darwin": "clang++"}.get(sys.platform, "g++")
    return shutil.which(os.environ.get("CXX") or usual)


def _is_installed(backend: ExportBackend) -> bool:
    return all(importlib.util.find_spec(package) for package in (backend, "onnx"))
