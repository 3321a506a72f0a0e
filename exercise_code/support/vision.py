"""torchvision, imported so that it works beside a torch without CUDA; import it from here.

The wheel that some registries hand out is built for CUDA. Beside a CPU-only torch its import ends with
"operator torchvision::nms does not exist"; then the operators that the import looks for are declared first,
and `nms` gets an implementation of its own. Compiled operators (`roi_pool`, `io`) stay unavailable.
"""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file
from torch import Tensor, nn

MISSING = "operator torchvision::nms does not exist"

_library: torch.library.Library | None = None  # the declarations last as long as this object


def _import_torchvision() -> ModuleType:
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if MISSING not in str(error):
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    global _library
    _library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        _library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _library.impl("nms", _nms, "CPU")
    module = importlib.import_module("torchvision")
    boxes: Any = importlib.import_module("torchvision.ops.boxes")
    boxes._assert_has_ops = lambda: None
    return module


def _nms(
    dets: Float[Tensor, "num 4"], scores: Float[Tensor, " num"], iou_threshold: float
) -> Int[Tensor, " kept"]:
    """Greedy non-maximum suppression: boxes that no better one overlaps by more than the threshold."""
    from torchvision.ops import box_iou

    waiting = scores.argsort(descending=True, stable=True)
    overlaps = box_iou(dets, dets)
    kept = []
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        waiting = waiting[overlaps[best, waiting] <= iou_threshold]
    return torch.stack(kept) if kept else waiting


torchvision = _import_torchvision()


def mobilenet_weights() -> Path | None:
    """The file with MobileNetV2's weights, trained on ImageNet, where `WORKBOOK_DATA` has it."""
    path = Path(os.environ.get("WORKBOOK_DATA", "")) / "weights" / "mobilenet_v2.safetensors"
    return path if path.is_file() else None


def mobilenet_v2(weights: Path) -> nn.Module:
    """MobileNetV2 with the weights of a file, in float32."""
    net: nn.Module = torchvision.models.mobilenet_v2()
    kept = load_file(weights)
    net.load_state_dict({name: kept[name].to(value.dtype) for name, value in net.state_dict().items()})
    return net
