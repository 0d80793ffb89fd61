"""Draw docs/images/metrics/*.png, the pictures of docs/metrics.md: python docs/figures/metrics.py docs/images/metrics

Small label maps with their scores beneath. A score is shaded where it is perfect although the map is not the truth.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from label_maps import (
    FIELD,
    FOREST,
    HOUSE,
    LAKE,
    SHAPE,
    LabelArray,
    cut,
    house,
    landscape,
    lower_fields_cut,
    merged,
    mosaic,
    random_labels,
    shifted,
    single_pixels,
    wrong_fields,
)
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from skimage.metrics import variation_of_information as conditional_entropies

from terrasift.metrics import FACTS, confusion_matrix, segmentation_scores
from terrasift.metrics.boundaries import boundary, frame

Scores: TypeAlias = dict[str, float]

COLORS = ["#dcc27a", "#4f8f5b", "#5b93c7", "#b8493c"]  # of fields, forest, lake and house
SHADE = "#ffdf9e"


def main(folder: Path) -> None:
    """Draw all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in (regions, arrangement, classes, one_class, information, chance, consistency, covering, displacement):
        picture().savefig(folder / f"{picture.__name__}.png", dpi=140)
    boundaries().savefig(folder / "boundaries.png", dpi=140)


# Pictures


def regions() -> Figure:
    """Every score of regions, on the usual mistakes."""
    truth = landscape()
    maps = {
        "truth": truth,
        "other names": (truth + 1) % 4,
        "shifted": shifted(truth, 3),
        "house lost": merged(truth, HOUSE),
        "forest lost": merged(truth, FOREST),
        "cut up": cut(truth, 16),
        "squares": mosaic(16),
    }
    return draw(maps, region_scores, list(region_scores(truth, truth)))


def arrangement() -> Figure:
    """One confusion matrix, two arrangements."""
    maps = {
        "truth": landscape(),
        "in one place": wrong_fields(240, scattered=False),
        "scattered": wrong_fields(240, scattered=True),
    }
    names = ["accuracy", "mean_iou", "mean_f1", "variation_of_information", "probabilistic_rand_index"]
    names += ["global_consistency_error", "segmentation_covering", "boundary_displacement_error"]
    return draw(maps, lambda *pair: class_scores(*pair) | region_scores(*pair), names)


def classes() -> Figure:
    """Every score of classes, on the usual mistakes."""
    truth = landscape()
    maps = {
        "truth": truth,
        "shifted": shifted(truth, 3),
        "house lost": merged(truth, HOUSE),
        "forest lost": merged(truth, FOREST),
        "all fields": np.full(SHAPE, FIELD),
    }
    names = [name for name in FACTS if name in class_scores(truth, truth)]
    return draw(maps, class_scores, names)


def one_class() -> Figure:
    """Precision and recall of the house."""
    maps = {
        "truth": landscape(),
        "half missed": house(8, 16, 12, 17),
        "too large": house(4, 20, 7, 27),
        "beside it": house(8, 16, 17, 27),
    }
    return draw(maps, house_scores, list(house_scores(landscape(), landscape())))


def information() -> Figure:
    """Variation of information and its two terms."""
    truth = landscape()
    maps = {
        "truth": truth,
        "fields cut": cut(truth, 32),
        "cut finer": cut(truth, 16),
        "forest lost": merged(truth, FOREST),
        "house lost": merged(truth, HOUSE),
    }
    return draw(maps, entropy_scores, ["H(predicted | truth)", "H(truth | predicted)", "variation_of_information"])


def chance() -> Figure:
    """What random labels score."""
    maps = {
        "truth": mosaic(16),
        "merged in pairs": mosaic(16) // 2,
        "random, 12": random_labels(12),
        "random, 200": random_labels(200),
        "single pixels": single_pixels(),
    }
    names = ["probabilistic_rand_index", "adjusted_rand_index"]
    names += ["normalized_mutual_information", "adjusted_mutual_information"]
    return draw(maps, region_scores, names)


def consistency() -> Figure:
    """Refinements that consistency errors forgive."""
    truth = landscape()
    maps = {
        "truth": truth,
        "shifted": shifted(truth, 3),
        "cut up": cut(truth, 8),
        "single pixels": single_pixels(),
        "one region": np.full(SHAPE, FIELD),
        "both ways": np.where(np.isin(truth, (FOREST, LAKE)), FOREST, cut(truth, 8)),
    }
    return draw(maps, region_scores, ["global_consistency_error", "local_consistency_error"])


def covering() -> Figure:
    """Both directions of covering, and the remains that one of them does not see."""
    truth = landscape()
    maps = {
        "truth": truth,
        "forest lost": merged(truth, FOREST),
        "cut up": cut(truth, 16),
        "one remain": lower_fields_cut(1),
        "many remains": lower_fields_cut(16),
    }
    return draw(maps, region_scores, ["segmentation_covering", "prediction_covering"])


def displacement() -> Figure:
    """Distances of boundaries, beside what regions say."""
    truth = landscape()
    maps = {
        "truth": truth,
        "shifted": shifted(truth, 3),
        "house lost": merged(truth, HOUSE),
        "small squares": mosaic(4),
        "lake = house": np.where(truth == LAKE, HOUSE, truth),
    }
    return draw(maps, region_scores, ["boundary_displacement_error", "variation_of_information"])


def boundaries() -> Figure:
    """What counts as a boundary pixel."""
    rows, columns = np.indices((12, 16))
    maps = {
        "two regions": (columns > 7).astype(int),
        "a slope": (columns + rows > 13).astype(int),
        "a thin line": (columns == 7).astype(int),
        "one region": np.zeros_like(rows),
    }
    return draw(maps, lambda _, labels: {"boundary pixels": boundary_pixels(labels).sum()}, ["boundary pixels"], ink)


# Scores


def region_scores(truth: LabelArray, predicted: LabelArray) -> Scores:
    """All scores of regions."""
    return segmentation_scores(predicted, truth)


def class_scores(truth: LabelArray, predicted: LabelArray) -> Scores:
    """All scores of classes."""
    return confusion_matrix(predicted, truth, classes=4).scores()


def house_scores(truth: LabelArray, predicted: LabelArray) -> Scores:
    """The scores of a single class."""
    matrix = confusion_matrix(predicted, truth, classes=4)
    names = ("precision", "recall", "f1", "iou", "specificity", "class_accuracy")
    return {name: float(getattr(matrix, name)[HOUSE]) for name in names}


def entropy_scores(truth: LabelArray, predicted: LabelArray) -> Scores:
    """What scikit-image gives, and the sum, which we give."""
    split, merge = conditional_entropies(truth, predicted)
    return {"H(predicted | truth)": split, "H(truth | predicted)": merge} | region_scores(truth, predicted)


def boundary_pixels(labels: LabelArray) -> NDArray[np.bool_]:
    """The boundary, or the frame where there is none."""
    everywhere = np.ones(labels.shape, np.bool_)
    found = boundary(labels, everywhere)
    return found if found.any() else frame(labels, everywhere)


# Drawing


def draw(
    maps: Mapping[str, LabelArray],
    score: Callable[[LabelArray, LabelArray], Scores],
    names: Sequence[str],
    show: Callable[[LabelArray], NDArray[np.float64]] | None = None,
) -> Figure:
    """Label maps side by side, the truth first, and a row of their scores for each name beneath."""
    rows, line = len(names), 0.22  # inches
    columns = max(5, len(maps))  # so that pictures of few maps are not blown up on the page
    figure = Figure(figsize=(1.25 + 1.2 * columns, 1.3 + line * rows), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.03, wspace=0.02, hspace=0)
    pictures, tables = figure.subplots(2, columns, height_ratios=(1.0, line * rows))
    for axes in (*pictures[len(maps) :], *tables):
        axes.axis("off")
    truth = next(iter(maps.values()))
    for axes, table, (title, labels) in zip(pictures, tables, maps.items(), strict=False):
        axes.imshow((show or paint)(labels), interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.set_title(title, fontsize=9)
        table.set(xlim=(0, 1), ylim=(rows, 0))
        scores = score(truth, labels)
        for row, name in enumerate(names):
            if labels is not truth and is_perfect(name, scores[name]):
                table.axhspan(row + 0.08, row + 0.92, color=SHADE)
            table.text(0.5, row + 0.5, number(name, scores[name]), fontsize=9, ha="center", va="center")
    for row, name in enumerate(names):
        tables[0].text(-0.05, row + 0.5, title_of(name), fontsize=9, ha="right", va="center")
    return figure


def paint(labels: LabelArray) -> NDArray[np.float64]:
    """Labels 0 to 3 in the colours of the landscape, then again and again in lighter shades."""
    colors = np.array([to_rgb(color) for color in COLORS])[labels % 4]
    lightness = (labels // 4 * 0.4142)[..., None] % 1 * 0.7
    return colors + (1 - colors) * lightness


def ink(labels: LabelArray) -> NDArray[np.float64]:
    """Labels with their boundary in black."""
    return np.where(boundary_pixels(labels)[..., None], 0.15, paint(labels))


def title_of(name: str) -> str:
    """The score as tables call it, which way is better, and its unit."""
    if name not in FACTS:
        return name.replace("_", " ").replace("iou", "IoU").replace("f1", "F1")
    facts = FACTS[name]
    return f"{facts.symbol} {facts.arrow} {facts.unit.strip('%')}".strip()  # what is drawn are shares


def number(name: str, score: float) -> str:
    """Enough digits to compare."""
    digits = 0 if name == "boundary pixels" else 2 if name == "boundary_displacement_error" else 3
    return f"{score:.{digits}f}".replace("-0.000", "0.000")


def is_perfect(name: str, score: float) -> bool:
    """Whether the score is the best there is."""
    if name not in FACTS:
        return False
    facts = FACTS[name]
    return bool(np.isclose(score, facts.upper if facts.higher_is_better else facts.lower))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
