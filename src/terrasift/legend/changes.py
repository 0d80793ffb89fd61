"""Several changes to a legend at once, as they are written in Python and on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from terrasift.errors import SettingError
from terrasift.legend.editing import color_by_name, find_class, join_classes, recolor_class, rename_class, split_cluster
from terrasift.legend.legend import Legend

__all__ = ["change_legend", "edited"]


def change_legend(
    legend: Legend,
    clusters: int,
    *,
    merges: Sequence[str] = (),
    splits: Sequence[int] = (),
    colors: Sequence[str] = (),
    names: Sequence[str] = (),
) -> Legend:
    """Join classes, split off clusters, recolour and rename, in this order.

    A class is named by its index or its name in the legend as it is before any of the changes.

    Parameters
    ----------
    legend
        What is changed.
    clusters
        K.
    merges
        ``A,B[,C]`` each; A keeps its name and colour.
    splits
        Clusters that get a class of their own.
    colors, names
        ``CLASS=#RRGGBB`` and ``CLASS=NAME`` each. A class's first name gives it a colour, too: water is blue.

    Raises
    ------
    SettingError
        If one cannot be done; nothing is.
    """
    return edited(
        legend,
        clusters,
        merges=[[part.strip() for part in text.split(",")] for text in merges],
        splits=splits,
        colors=dict(_pair("colors", text, "0=#808080") for text in colors),
        names=dict(_pair("names", text, "0=road") for text in names),
    )


def edited(
    legend: Legend,
    clusters: int,
    *,
    merges: Sequence[Sequence[int | str]],
    splits: Sequence[int],
    colors: Mapping[int | str, str],
    names: Mapping[int | str, str],
) -> Legend:
    """`change_legend` of what is not text: classes by index or name; errors are the same."""

    def known(asked: int | str) -> str:
        return before.names[find_class(before, str(asked))]

    before = legend
    for group in merges:
        joined = [known(asked) for asked in group]
        legend = join_classes(legend, [_index(legend, name) for name in joined])
    for cluster in splits:
        if not 0 <= cluster < clusters:
            raise SettingError("splits", f"there is no cluster {cluster}", f"the clusters are 0 to {clusters - 1}")
        legend = split_cluster(legend, cluster)
    for asked, color in colors.items():
        legend = recolor_class(legend, _index(legend, known(asked)), color)
    return _renamed(legend, {known(asked): new for asked, new in names.items()}, set(map(known, colors)))


def _pair(parameter: str, text: str, example: str) -> tuple[str, str]:
    asked, equals, value = text.partition("=")
    if not equals:
        raise SettingError(parameter, f"{text!r} lacks a '='", f"write it so: {example}")
    return asked.strip(), value.strip()


def _index(legend: Legend, name: str) -> int:
    if name not in legend.names:
        raise SettingError("legend", f"class {name!r} has just been joined with another", "change that one")
    return legend.names.index(name)


def _renamed(legend: Legend, names: dict[str, str], colored: set[str]) -> Legend:
    """All at once: two classes may swap their names. A first name gives its colour, unless one has just been chosen."""
    places = {_index(legend, name): new for name, new in names.items()}
    first = [index for index in places if not legend.classes[index].is_named and legend.names[index] not in colored]
    for index in places:
        legend = rename_class(legend, index, f"renaming {index}")
    for index, new in places.items():
        legend = rename_class(legend, index, new)
    for index in first:
        legend = color_by_name(legend, index)
    return legend
