"""Run a network on the CPU as code that torch.compile has written for it and a C++ compiler has translated."""

import copy
import math

import numpy as np
import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor, nn

from hlcore.models.backends import Normalized, Session, Traced
from hlcore.models.hardness import HardnessSegmenter

LEAST_SIDE = 256
"""Smaller images run in torch: below this square, the code would depend on which layers are small."""


def compile_session(network: HardnessSegmenter) -> Session:
    """A network, without normalisation and resizing, that is compiled when it is first called.

    Images of any size share the code, except that those above about a megapixel have their own.
    """
    traced = Traced(network).eval()
    stride, channels_last = network.stride, network.memory_format
    fixed = copy.deepcopy(traced)
    _fix_padding(fixed)
    compiled = torch.compile(_Blocks(fixed).eval(), dynamic=True)

    def run(image: Normalized) -> list[Tensor]:
        outputs = []
        height, width = image.shape[-2:]
        for single in torch.from_numpy(image).split(1):  # the same code for any number of images
            one = single.contiguous(memory_format=channels_last)
            if height * width < LEAST_SIDE**2 or stride in (height, width):
                outputs.append(traced(one))
                continue
            blocks = one.unflatten(3, (-1, stride)).unflatten(2, (-1, stride))
            for dimension in (1, 3, 5):
                torch._dynamo.mark_static(blocks, dimension)  # noqa: SLF001  (its documented name)
            outputs.append(compiled(blocks))
        return [torch.cat(parts) for parts in zip(*outputs, strict=True)]

    def session(image: Normalized) -> list[np.ndarray]:
        with torch.inference_mode():
            return [output.numpy() for output in run(image)]

    return session


class _Blocks(nn.Module):
    """Takes the image in blocks of one stride, 1 3 h s w s; the compiler then knows that both sides are multiples."""

    def __init__(self, traced: Traced) -> None:
        super().__init__()
        self.traced = traced

    def forward(self, blocks: Tensor) -> tuple[Tensor, ...]:
        return self.traced(blocks.flatten(4, 5).flatten(2, 3))


def _fix_padding(module: nn.Module) -> None:
    """Replace TensorFlow's padding, which is computed from the image size and takes minutes to compile.

    It is the same for all sizes that are multiples of a layer's stride, as all are in a padded image.
    """
    for name, layer in module.named_children():
        if isinstance(layer, Conv2dSame):
            setattr(module, name, _pad_alike(layer))  # pyright: ignore[reportArgumentType] - timm's types hide what it is
        else:
            _fix_padding(layer)


def _pad_alike(layer: nn.Conv2d) -> nn.Sequential:
    sides: list[int] = []
    for kernel, dilation, stride in zip(layer.kernel_size[::-1], layer.dilation[::-1], layer.stride[::-1], strict=True):
        total = max((kernel - 1) * dilation + 1 - stride, 0)
        sides += [total // 2, math.ceil(total / 2)]
    conv = copy.copy(layer)
    conv.__class__ = nn.Conv2d  # which pads nothing here
    return nn.Sequential(nn.ZeroPad2d((sides[0], sides[1], sides[2], sides[3])), conv)
