"""Sphinx's settings: `make docs` builds docs/_build/html."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

import terrasift.metrics

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "terrasift"
author = "The terrasift developers"
version = release = version_of("terrasift")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "from_code",
    "mathml",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "terrasift"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False

autosummary_generate = True
autosummary_ignore_module_all = False  # __all__ is the list of public names
autosummary_imported_members = True
autosummary_context = {"metrics": terrasift.metrics.__all__}  # documented once, there
autodoc_typehints_format = "short"
numpydoc_show_class_members = False  # autodoc lists them
