"""Checks that the reference has a page for every public name, and for no other."""

from __future__ import annotations

from importlib import import_module

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
    # A name that two modules share is documented once, and all that a module lists is what `help` shows of it.
    public = {f"{module}.{name}": name for module in _MODULES for name in import_module(module).__all__}
    pages = {page.removeprefix(_FOLDER) for page in env.found_docs if page.startswith(_FOLDER)}
    named = {name.rpartition(".")[2] for name in pages - set(_MODULES)}
    for name in sorted(set(public.values()) - named - {module.rpartition(".")[2] for module in _MODULES}):
        _logger.warning("the public name %s has no page in the reference", name)
    for page in sorted(pages - set(public) - set(_MODULES)):
        _logger.warning("%s has a page in the reference, but is not public", page)
