"""The modules under PyWinRT's names have what they promise."""

from importlib import import_module

import pytest

from vsc.winrt.installation import MODULES


@pytest.mark.parametrize("name", MODULES.values())
def test_a_module_has_what_it_names(name: str) -> None:
    module = import_module(name)
    names = getattr(module, "__all__", [])
    assert names or name.endswith("hresult")
    assert all(hasattr(module, one) for one in names)
