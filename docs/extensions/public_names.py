"""Checks that the reference has a page for every public name, and for no other."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

_logger = logging.getLogger(__name__)
_MODULES = ("terrasift", "terrasift.metrics", "terrasift.metrics.accumulators", "terrasift.assess")
_FOLDER = "api/generated/"


def setup(app: Sphinx) -> dict[str, bool]:
    """Check it once all pages have been read."""
    app.connect("env-check-consistency", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _check(app: Sphinx, env: BuildEnvironment) -> None:
    modules = {name: import_module(name) for name in _MODULES}
    # Tables have no page of their own: the module's lists them. A name that two modules share is documented once.
    public = {
        f"{where}.{name}" for where, module in modules.items() for name in module.__all__ if _has_page(module, name)
    }
    pages = {page.removeprefix(_FOLDER) for page in env.found_docs if page.startswith(_FOLDER)} - set(_MODULES)
    documented = {_last(page) for page in pages}
    for name in sorted(name for name in public if _last(name) not in documented):
        _logger.warning("the public name %s has no page in the reference", name)
    for page in sorted(pages - public):
        _logger.warning("%s has a page in the reference, but is not public", page)


def _has_page(module: ModuleType, name: str) -> bool:
    return callable(getattr(module, name))  # neither a table nor a module


def _last(name: str) -> str:
    return name.rpartition(".")[2]
