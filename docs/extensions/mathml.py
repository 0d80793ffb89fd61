"""Formulas as MathML, which browsers draw by themselves: pages need no script, and read the same offline."""

from __future__ import annotations

from docutils.nodes import SkipNode, math, math_block
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def setup(app: Sphinx) -> dict[str, bool]:
    """Offer the renderer ``mathml``."""
    app.add_html_math_renderer("mathml", (_write_inline, None), (_write_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write_inline(translator: HTML5Translator, node: math) -> None:
    translator.body.append(tex2mathml(node.astext()))
    raise SkipNode


def _write_block(translator: HTML5Translator, node: math_block) -> None:
    translator.body.append(tex2mathml(node.astext(), as_block=True))
    raise SkipNode
