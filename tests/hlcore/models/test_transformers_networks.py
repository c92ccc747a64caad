"""Configurations of transformers in checkpoint files: they choose a network, and nothing else."""

from typing import Any

import pytest

from hlcore.config import NetworkConfig
from hlcore.errors import InvalidInputError
from hlcore.models.adapters import build_network, outline_network
from hlcore.models.transformers_networks import describe_config, make_model

SMALL = {
    "model_type": "segformer",
    "hidden_sizes": [8, 16, 24, 32],
    "depths": [1, 1, 1, 1],
    "num_attention_heads": [1, 1, 2, 2],
    "decoder_hidden_size": 16,
}


def make(**changes: Any) -> Any:
    return make_model(SMALL | changes, 3)


def test_a_network_without_memory_has_the_shapes_of_the_real_one() -> None:
    config = NetworkConfig(network="transformers", encoder_weights="none", options=SMALL)
    outline, network = outline_network(config, 3), build_network(config, 3)
    assert outline is not None
    expected = {name: tensor.shape for name, tensor in network.state_dict().items() if "hardness_branch" not in name}
    found = {name: tensor.shape for name, tensor in outline.state_dict().items()}
    assert found == expected
    assert all(parameter.is_meta for parameter in outline.parameters())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model_type": "bert"}, "model_type must be one of segformer, upernet, mask2former, maskformer, got 'bert'"),
        ({"model_type": None}, "model_type must be one of"),
        ({"model_type": "upernet", "backbone": "owner/name"}, "described by its backbone_config, not named"),
        ({"backbone_config": {"model_type": "timm_backbone", "backbone": "hf-hub:owner/name"}}, "not named or of timm"),
        ({"model_type": "upernet", "backbone_config": {"model_type": "timm_wrapper"}}, "not named or of timm"),
        ({"parts": [{"backbone_config": {"backbone": "local-dir:/etc"}}]}, "not named or of timm"),
        ({"depths": [1, 1, 1, 10**9]}, "depths must hold numbers of at most 512"),
        ({"hidden_sizes": [8, 16, 24, 10**7]}, "hidden_sizes must hold numbers of at most 100000"),
        ({"backbone_config": {"num_hidden_layers": 10**6}}, "num_hidden_layers must hold numbers of at most 512"),
        ({"hidden_sizes": "wide"}, "a segformer with these settings cannot be built"),
    ],
)
def test_settings_that_cannot_be_a_network_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInputError, match=sentence):
        make(**changes)


def test_keys_that_would_load_code_or_files_are_left_out() -> None:
    dangerous = {
        "_attn_implementation": "owner/kernel",
        "attn_implementation": "owner/kernel",
        "auto_map": {"AutoConfig": "owner/name--code.Config"},
        "_name_or_path": "owner/name",
        "quantization_config": {"quant_method": "owner"},
    }
    configured = make(**dangerous).config
    assert configured._name_or_path != "owner/name"
    assert configured._attn_implementation in ("eager", "sdpa")
    kept = describe_config(configured)
    assert not set(dangerous) & set(kept)
    assert kept["hidden_sizes"] == SMALL["hidden_sizes"]
