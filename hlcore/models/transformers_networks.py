"""Segmentation networks of transformers, as an encoder and a segmentation branch."""

from typing import Any

import torch
from torch import Tensor, nn

from hlcore.config import NetworkConfig
from hlcore.errors import InvalidInputError
from hlcore.models.parts import NetworkParts

TRANSFORMERS = "transformers"
"""`NetworkConfig.network` of these networks; their own configuration is in `options`."""
MODEL_TYPES = ("segformer", "upernet", "mask2former", "maskformer")
_LEFT_OUT = {
    *("architectures", "auto_map", "dtype", "torch_dtype", "transformers_version", "attn_implementation"),
    *("id2label", "label2id", "problem_type", "quantization_config", "use_kernels"),
    *("use_pretrained_backbone", "use_timm_backbone", "backbone_kwargs"),
}
"""Keys of a configuration that do not change the network, or name code and files that would be loaded."""
_MOST, _MOST_LAYERS = 100_000, 512
"""Largest number in a configuration, and largest number of layers."""


class _SegformerEncoder(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.segformer = model.segformer

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return self.segformer(image, output_hidden_states=True).hidden_states


class _Backbone(nn.Module):
    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.backbone(image).feature_maps)


class _Head(nn.Module):
    def __init__(self, decode_head: nn.Module) -> None:
        super().__init__()
        self.decode_head = decode_head

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        return self.decode_head(features)


class _MaskHead(nn.Module):
    """Decoders of MaskFormer and Mask2Former; their masks and classes become one score per pixel and class."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.decoder = model.model.pixel_level_module.decoder
        self.transformer_module = model.model.transformer_module
        self.class_predictor = model.class_predictor

    def compose(self, class_logits: Tensor, mask_logits: Tensor) -> Tensor:
        """Log scores N C h w from class logits N Q C+1, the last of which is "no object", and mask logits N Q h w.

        Source: Cheng et al., NeurIPS 2021, equation 4, and the same authors' code.
        """
        classes = torch.softmax(class_logits.float(), dim=-1)[..., :-1]
        scores = torch.einsum("nqc,nqhw->nchw", classes, torch.sigmoid(mask_logits.float()))
        return scores.clamp_min(torch.finfo(torch.float32).tiny).log()


class _Mask2FormerHead(_MaskHead):
    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        pixels = self.decoder(features, output_hidden_states=False)
        decoded = self.transformer_module(
            multi_scale_features=pixels.multi_scale_features,
            mask_features=pixels.mask_features,
            output_hidden_states=True,
            output_attentions=False,
        )
        classes = self.class_predictor(decoded.intermediate_hidden_states[-1].transpose(0, 1))
        return self.compose(classes, decoded.masks_queries_logits[-1])


class _MaskFormerHead(_MaskHead):
    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.mask_embedder = model.mask_embedder

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        pixels = self.decoder(features, False, return_dict=True).last_hidden_state
        queries = self.transformer_module(features[-1], False, False).last_hidden_state
        masks = torch.einsum("nqc,nchw->nqhw", self.mask_embedder(queries), pixels)
        return self.compose(self.class_predictor(queries), masks)


def build_transformers_parts(config: NetworkConfig, num_classes: int) -> NetworkParts:
    """The parts of a network with random weights, from its configuration in `config.options`.

    Makes no network request.

    Raises:
        InvalidInputError: transformers is not installed, or the configuration is not that of a known network.
    """
    return split_model(make_model(config.options, num_classes))


def make_model(settings: dict[str, Any], num_classes: int) -> Any:
    """A model of transformers with random weights.

    Args:
        settings: Its configuration, as in config.json.
        num_classes: Number of its classes.

    Raises:
        InvalidInputError: transformers is not installed, or the configuration is not that of a known network.
    """
    transformers = import_transformers()
    kind = settings.get("model_type")
    if kind not in MODEL_TYPES:
        raise InvalidInputError(f"model_type must be one of {', '.join(MODEL_TYPES)}, got {str(kind)[:60]!r}")
    kept = _clean(settings)
    _check_settings(kept)
    changed = {"num_labels": num_classes}
    try:
        configured = transformers.AutoConfig.for_model(**kept | changed)
        name = "AutoModelForUniversalSegmentation" if kind == "mask2former" else "AutoModelForSemanticSegmentation"
        if kind == "maskformer":
            name = "AutoModelForInstanceSegmentation"
        return getattr(transformers, name).from_config(configured)
    except Exception as error:  # configurations are checked nowhere; any line of the model may fail
        raise InvalidInputError(f"a {kind} with these settings cannot be built: {error}") from error


def split_model(model: Any) -> NetworkParts:
    """A model of transformers as encoder and segmentation branch, which share its modules."""
    match model.config.model_type:
        case "segformer":
            encoder, branch = _SegformerEncoder(model), _Head(model.decode_head)
        case "upernet":
            encoder, branch = _Backbone(model.backbone), _Head(model.decode_head)
        case "mask2former":
            encoder, branch = _Backbone(model.model.pixel_level_module.encoder), _Mask2FormerHead(model)
        case _:
            encoder, branch = _Backbone(model.model.pixel_level_module.encoder), _MaskFormerHead(model)
    return NetworkParts(encoder, branch, stride=32)


def describe_config(configured: Any) -> dict[str, Any]:
    """A configuration of transformers as `NetworkConfig.options`."""
    return _clean(configured.to_dict())


def _clean(settings: Any) -> Any:
    """A configuration without the keys of _LEFT_OUT and private ones, also in its parts."""
    if isinstance(settings, list | tuple):
        return [_clean(value) for value in settings]
    if not isinstance(settings, dict):
        return settings
    kept = {
        name: _clean(value)
        for name, value in settings.items()
        if name not in _LEFT_OUT and not str(name).startswith("_")
    }
    if isinstance(kept.get("decoder_config"), dict):
        kept["decoder_config"].pop("backbone_config", None)  # of DETR, which MaskFormer does not build
    return kept


def _check_settings(settings: Any, name: str = "") -> None:
    """Raise InvalidInputError for a backbone from elsewhere, and for numbers that would take hours.

    The header of a checkpoint chooses the settings too.
    """
    if isinstance(settings, dict):
        if isinstance(settings.get("backbone"), str) or str(settings.get("model_type", "")).startswith("timm"):
            raise InvalidInputError("a backbone must be described by its backbone_config, not named or of timm")
        for key, value in settings.items():
            _check_settings(value, str(key))
    elif isinstance(settings, list):
        if len(settings) > _MOST_LAYERS:
            raise InvalidInputError(f"{name} must hold at most {_MOST_LAYERS} values, got {len(settings)}")
        for value in settings:
            _check_settings(value, name)
    elif isinstance(settings, int | float):
        most = _MOST_LAYERS if "layers" in name or "depth" in name else _MOST
        if abs(settings) > most:
            raise InvalidInputError(f"{name} must hold numbers of at most {most}, got {settings}")


def import_transformers() -> Any:
    """The package.

    Raises:
        InvalidInputError: it is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise InvalidInputError(
            "this network needs transformers, which is not installed; pip install 'hlcore[transformers]'"
        ) from error
    return transformers
