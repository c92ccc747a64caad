"""Make torchvision importable next to a torch it was not linked against; import this before torchvision, timm or SMP.

The Linux wheels of torchvision are linked against CUDA torch. With a CPU-only torch their compiled
operators do not load, and `import torchvision` fails while it registers shapes for the missing operators.
No segmentation network uses those operators, so declaring their schemas first is enough.
"""

import importlib.util
from pathlib import Path

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def _compiled_operators_load() -> bool:
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    folder = Path(spec.origin).parent
    libraries = [*folder.glob("_C*.so"), *folder.glob("_C*.pyd"), *folder.glob("_C*.dylib")]
    try:
        for library in libraries:
            torch.ops.load_library(str(library))
    except OSError:
        return False
    return bool(libraries) and hasattr(torch.ops.torchvision, "nms")


_declared: torch.library.Library | None = None  # the schemas live as long as this object
if not _compiled_operators_load():
    _declared = torch.library.Library("torchvision", "DEF")
    for _schema in _SCHEMAS:
        _declared.define(_schema)
