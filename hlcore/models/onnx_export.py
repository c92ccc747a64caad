"""A network as one ONNX file that takes images as they are and gives logits and the hardness map at their size."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hlcore.errors import InvalidInputError
from hlcore.models.backends import TOLERANCE, compare_module, export_module, open_session
from hlcore.models.hardness import HardnessSegmenter


class WholeNetwork(nn.Module):
    """Image N 3 H W in 0..255 -> logits N C H W and hardness N 1 H W in (0, 1); H and W are multiples of the stride."""

    def __init__(self, network: HardnessSegmenter) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        network = self.network
        features = network.encoder((image - network.mean) / network.std)
        size = image.shape[-2:]
        logits = _resize(network.segmentation_branch(features), size)
        if network.hardness_branch is None:
            return (logits,)
        return logits, torch.sigmoid(_resize(network.hardness_branch(features), size))


def export_whole_network(network: HardnessSegmenter, *, metadata: dict[str, str]) -> tuple[bytes, float]:
    """A network as the content of an ONNX file, and the largest difference of its outputs from torch's.

    Args:
        network: On the CPU.
        metadata: Stored in the file, beside the network's stride.

    Raises:
        InvalidInputError: onnx or ONNX Runtime is not installed, or the network cannot be exported.
    """
    try:
        import onnx
        import onnxruntime  # noqa: F401  (`open_session` uses it)
    except ImportError as error:
        raise InvalidInputError(f"an export needs {error.name}; pip install 'hlcore[onnx]'") from error
    whole = WholeNetwork(network).eval()
    names = ["logits", "hardness"][: 1 + (network.hardness_branch is not None)]
    try:
        exported = export_module(whole, network.stride, names)
        session = open_session(exported, "onnxruntime")
        difference = compare_module(whole, network.stride, session, scale=64)
    except Exception as error:  # the exporter and ONNX Runtime may raise anything
        reason = " ".join(str(error).split())[:300]
        raise InvalidInputError(f"this network cannot be exported to ONNX: {reason}") from error
    if not difference <= TOLERANCE:  # or NaN
        raise InvalidInputError(f"the exported network would differ from torch's by up to {difference:.2g}")
    model: Any = onnx.load_from_string(exported)
    with torch.no_grad():
        channels = [output.shape[1] for output in whole(torch.zeros(1, 3, network.stride, network.stride))]
    for output, number in zip(model.graph.output, channels, strict=True):
        output.type.tensor_type.shape.dim[1].dim_value = number  # the exporter gives both outputs one free name
    onnx.helper.set_model_props(model, metadata | {"stride": str(network.stride)})
    return model.SerializeToString(), difference


def _resize(output: Tensor, size: Any) -> Tensor:
    return F.interpolate(output, size=size, mode="bilinear", align_corners=False)
