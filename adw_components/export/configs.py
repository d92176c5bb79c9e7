"""The configs of an exported bundle: they name its own `scripts`, and see to it that these are its own. No torch here.

MONAI puts the folder of a bundle on the path when it runs, not before, and Python keeps one module `scripts` a process,
whichever bundle's it is. The one thing that MONAI evaluates ahead of a component is what its `_requires_` asks for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import UserError
from .source import PACKAGE

VENDORED = "scripts"
# A path like "adw_components.networks.AdwUNet", in a `_target_` or in another argument.
_NAMED = re.compile(rf"^{PACKAGE}(?=\.[\w.]+$)")
_MENTIONED = re.compile(rf"\b{PACKAGE}\b")
OWN_CODE = "$runpy.run_path(@bundle_root + '/scripts/bundle/own_code.py')['use_own_code']"
_FIRST = "$@own_code()"


def targets(configs: Mapping[str, Any]) -> set[str]:
    """The dotted names of this package that configs hold."""
    return {text for config in configs.values() for text in _texts(config) if _NAMED.match(text)}


def self_contained(config: Mapping[str, Any]) -> dict[str, Any]:
    """`config` with the names of this package turned into those of the bundle's `scripts`.

    Raises:
        UserError: an expression names the package, which a component has to do.
    """
    result = _rewritten(dict(config))
    if "bundle_root" not in result:  # an overlay, which stands on another config
        return result
    result["imports"] = [*result.get("imports", []), "$import runpy"]
    return _after(result, "bundle_root", "own_code", OWN_CODE)


def _rewritten(value: Any) -> Any:
    if isinstance(value, Mapping):
        content = {name: _rewritten(item) for name, item in value.items()}
        return _own_code_first(content) if _needs_own_code(value) else content
    if isinstance(value, list):
        return [_rewritten(item) for item in value]
    return _renamed(value) if isinstance(value, str) else value


def _renamed(text: str) -> str:
    renamed = _NAMED.sub(VENDORED, text)
    if renamed == text and _MENTIONED.search(text):
        raise UserError(f"a config must name {PACKAGE} as the _target_ of a component, not within a text, got {text!r}")
    return renamed


def _needs_own_code(component: Mapping[str, Any]) -> bool:
    named = any(isinstance(item, str) and _NAMED.match(item) for item in component.values())
    return "_target_" in component and named


def _own_code_first(component: dict[str, Any]) -> dict[str, Any]:
    """`component` with its requirement right after the target, ahead of the arguments."""
    required = component.pop("_requires_", [])
    others = required if isinstance(required, list) else [required]
    return _after(component, "_target_", "_requires_", [_FIRST, *others] if others else _FIRST)


def _after(content: Mapping[str, Any], name: str, new_name: str, new: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, item in content.items():
        result[key] = item
        if key == name:
            result[new_name] = new
    return result


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
