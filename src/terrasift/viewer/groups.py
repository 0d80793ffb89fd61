"""How a run's clusters join into fewer groups, for the page to try any number of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from terrasift.api import Run
from terrasift.clusters import merge_tree, suggest_classes
from terrasift.errors import RunError

__all__ = ["Groups"]


class Groups:
    """The joins of a run's clusters, found once, when they are first asked for.

    Parameters
    ----------
    run
        Whose clusters.
    scenes
        Where it is looked what clusters are like, should the training images have gone.
    """

    def __init__(self, run: Run, scenes: Sequence[str]) -> None:
        self._run = run
        self._scenes = scenes
        self._lock = threading.Lock()
        self._found: dict[str, Any] | None = None

    def describe(self) -> dict[str, Any]:
        """Ready for JSON: the clusters that join, in the order of `joins`; pairs of groups, of which k is the k-th leaf
        and each join makes the next; the pixels of each cluster in a sample; and how many groups to begin with.
        """
        with self._lock:
            if self._found is None:
                self._found = self._find()
            return self._found

    def _find(self) -> dict[str, Any]:
        try:
            facts = self._run.facts_in()
        except RunError:  # the training images are elsewhere
            facts = self._run.facts_in(self._scenes)
        tree = merge_tree(facts)
        return {
            "leaves": tree.leaves.tolist(),
            "joins": tree.linkage[:, :2].astype(int).tolist(),
            "pixels": facts.pixels.tolist(),
            "suggested": suggest_classes(tree),
        }
