"""A run's legend, shared with other windows and with the command line."""

from __future__ import annotations

import contextlib
from typing import Any

from terrasift.errors import RunError, TerrasiftError
from terrasift.legend import Legend
from terrasift.run import RunFolder

__all__ = ["LegendStore"]


class LegendStore:
    """The legend file of a run, replaced only where its present state has been seen.

    Parameters
    ----------
    run
        The run's folder.
    classifier
        Whose clusters the page shows.
    """

    def __init__(self, run: RunFolder, classifier: int) -> None:
        self._run = run
        self._classifier = classifier
        self._clusters = run.recipe.clusters

    def read(self) -> tuple[Legend, str]:
        """The legend, and the digest of its file.

        Raises
        ------
        InputError
            If the file is not a legend, or not one for this run.
        RunError
            If it speaks of the clusters of another classifier than the page does.
        """
        digest = self._run.legend_digest  # first: should the file change in between, saving will be refused
        legend = self._cluster_legend()
        if legend.classifier != self._classifier:
            raise RunError(
                self._run.legend_file,
                f"now speaks of classifier {legend.classifier}, but the page shows the clusters of {self._classifier}",
                "start `terrasift view` again",
            )
        return legend, digest

    def _cluster_legend(self) -> Legend:
        """The run's legend; where labels have taught it, what its clusters were called before."""
        legend = self._run.legend
        if not legend.taught:
            return legend
        with contextlib.suppress(TerrasiftError):
            before = self._run.previous_legend
            if not before.taught:
                return before
        return Legend.of_clusters(self._clusters)

    def with_classes(self, classes: Any) -> Legend:
        """The legend with other classes, a list as for `write`; None: its own. Nothing is written. Errors as there."""
        legend, _ = self.read()
        return legend if classes is None else self._checked(classes, legend)

    def write(self, classes: Any, seen: str) -> str | None:
        """Replace the legend's classes, unless its file has changed since `read` gave the digest `seen`.

        Parameters
        ----------
        classes
            A list of {name, color, clusters}, as it came. Everything else in the legend stays.
        seen
            The digest.

        Returns
        -------
        str or None
            The new digest; None if the file has changed: nothing is written then. The legend before is kept in
            ``legend.previous.yaml``.

        Raises
        ------
        InputError
            If they are no classes, or hold clusters that do not exist.
        RunError
            As for `read`.
        """
        before, digest = self.read()
        if digest != seen:
            return None
        return self._run.save_legend(self._checked(classes, before), seen)

    def _checked(self, classes: Any, before: Legend) -> Legend:
        content = {"classes": classes, "ignore": list(before.ignore), "classifier": before.classifier}
        legend = Legend.from_content("legend", content)
        legend.mapping(self._clusters)
        return legend
