"""Sphinx's settings: `make docs` builds docs/_build/html."""

from __future__ import annotations

import shutil
import sys
from importlib.metadata import version as version_of
from pathlib import Path

import terrasift.metrics

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

# Sphinx sees nothing outside its own folder.
shutil.rmtree(HERE / "notebooks", ignore_errors=True)
(HERE / "notebooks").mkdir()
for notebook in (HERE.parent / "notebooks").glob("*.ipynb"):
    shutil.copy(notebook, HERE / "notebooks")

project = "terrasift"
author = "The terrasift developers"
version = release = version_of("terrasift")

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "from_code",
    "mathml",
    "public_names",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3

nb_execution_mode = "force"  # they are kept without what comes out
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 1200  # seconds a cell, on a busy machine
nb_output_stderr = "remove"  # how far things are

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
