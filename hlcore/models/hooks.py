"""Read the features of a network that does not return them."""

import difflib
from collections.abc import Sequence
from typing import Any

from torch import nn
from torch.utils.hooks import RemovableHandle

from hlcore.errors import InvalidInputError


class FeatureHook:
    """The outputs of modules inside a network, from its last forward pass.

    Args:
        network: Any network.
        modules: Names of the modules whose outputs are the features, as in `network.named_modules()`, the finest first;
            or one name.

    Raises:
        InvalidInputError: the network has no module of that name.

    Example:
        >>> import torch
        >>> network = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))
        >>> hook = FeatureHook(network, ["1"])
        >>> logits = network(torch.zeros(1, 3, 64, 64))
        >>> [feature.shape for feature in hook.features]
        [torch.Size([1, 8, 16, 16])]
    """

    def __init__(self, network: nn.Module, modules: Sequence[str]) -> None:
        modules = [modules] if isinstance(modules, str) else modules
        found = dict(network.named_modules())
        for name in modules:
            if name not in found:
                close = difflib.get_close_matches(name, found, n=1)
                hint = (
                    f"did you mean {close[0]!r}?"
                    if close
                    else f"its parts are {', '.join(dict(network.named_children()))}"
                )
                raise InvalidInputError(f"the network has no module {name!r}; {hint}")
        self.modules = tuple(modules)
        self._outputs: dict[str, Any] = {}
        self._handles: list[RemovableHandle] = [
            found[name].register_forward_hook(self._make_hook(name)) for name in self.modules
        ]

    @property
    def features(self) -> list[Any]:
        """The output of each module, in the order of the names, with its gradient graph.

        Raises:
            InvalidInputError: a module has not run since the hook was attached.
        """
        if missing := [name for name in self.modules if name not in self._outputs]:
            raise InvalidInputError(f"the module {missing[0]!r} has not run yet; call the network first")
        return [self._outputs[name] for name in self.modules]

    def remove(self) -> None:
        """Detach the hook from the network, and forget the features."""
        for handle in self._handles:
            handle.remove()
        self._outputs.clear()

    def _make_hook(self, name: str) -> Any:
        def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
            self._outputs[name] = output

        return keep
