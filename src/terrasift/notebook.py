"""What objects look like in a notebook: HTML tables, swatches and pictures; data frames; axes to draw on."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from terrasift.errors import not_installed

if TYPE_CHECKING:
    import numpy as np
    import pandas
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["data_frame", "html_table", "new_axes", "picture", "swatch"]


def html_table(title: str, rows: Iterable[Sequence[object]], columns: Sequence[str] = ()) -> Markup:
    """A table with a title and, where there are names of columns, a head; what is no `Markup` is filled in as text."""
    rows = iter(rows)
    body = Markup("").join(_row(row, "td") for row in islice(rows, _MOST_ROWS))
    left_out = sum(1 for _ in rows)
    more = Markup("<p>and {} more</p>").format(left_out) if left_out else ""
    head = Markup("<thead>{}</thead>").format(_row(columns, "th")) if columns else ""
    table = Markup("<table>{}<tbody>{}</tbody></table>").format(head, body)
    return Markup("<div><strong>{}</strong>{}{}</div>").format(title, table, more)


_MOST_ROWS = 100


def _row(cells: Iterable[object], tag: str) -> Markup:
    cell = Markup(f'<{tag} style="text-align: left; padding: 0 1em 0 0">{{}}</{tag}>')
    return Markup("<tr>{}</tr>").format(Markup("").join(cell.format(content) for content in cells))


def swatch(color: str) -> Markup:
    """A little square of a colour, ``#RRGGBB``."""
    style = (
        "display: inline-block; width: 1em; height: 1em; vertical-align: -0.15em; border: thin solid #888; background:"
    )
    return Markup('<span style="{} {}" title="{}"></span>').format(style, color, color)


def picture(rgb: NDArray[np.uint8], words: str) -> Markup:
    """(H, W, 3), and in words what it shows."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, format="PNG")
    content = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Markup('<img src="data:image/png;base64,{}" alt="{}" title="{}"/>').format(content, words, words)


def data_frame(columns: Mapping[str, Any], index: str) -> pandas.DataFrame:
    """A pandas DataFrame, of whose columns one is the index; SettingError where pandas is not installed."""
    try:
        import pandas
    except ImportError as error:
        raise not_installed("to_frame", "pandas", "pandas") from error
    return pandas.DataFrame(columns).set_index(index)


def new_axes(axes: Axes | None) -> Axes:
    """The axes given, or those of a new figure of pyplot, which notebooks show by themselves."""
    if axes is not None:
        return axes
    from matplotlib import pyplot

    return pyplot.figure(layout="constrained").add_subplot()
