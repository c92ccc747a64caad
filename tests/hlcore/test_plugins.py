import textwrap

import pytest

from hlcore.config import NetworkConfig
from hlcore.data.catalog import open_data
from hlcore.errors import InvalidInputError
from hlcore.models.adapters import build_network, network_names
from hlcore.plugins import PLUGINS_VARIABLE

PLUGIN = """
    from torch import nn

    from hlcore.data.catalog import register_data
    from hlcore.data.streets import Streets
    from hlcore.models.adapters import NetworkParts, register_network


    @register_network("three-convolutions")
    def build(config, num_classes):
        encoder = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4, padding=1), nn.ReLU())
        decoder = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, num_classes, 1))
        return NetworkParts(encoder, decoder, stride=4)


    @register_data("two-streets")
    def read(root, split):
        return Streets(split, count=2, size=(24, 32))
"""


def test_a_module_named_in_the_environment_adds_a_network_and_a_data_set(tmp_path, monkeypatch):
    (tmp_path / "my_plugin.py").write_text(textwrap.dedent(PLUGIN))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(PLUGINS_VARIABLE, "my_plugin")
    assert "three-convolutions" in network_names()
    network = build_network(NetworkConfig(network="three-convolutions"), 5)
    assert network.hardness_branch is not None
    assert len(open_data("two-streets", root=tmp_path, split="val")) == 2


def test_a_plugin_that_cannot_be_imported_is_named(monkeypatch):
    monkeypatch.setenv(PLUGINS_VARIABLE, "no_such_plugin")
    with pytest.raises(InvalidInputError, match="HLCORE_PLUGINS names 'no_such_plugin', which cannot be imported"):
        network_names()
