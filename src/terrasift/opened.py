"""A run opened: what its files hold, as what they are of."""

from __future__ import annotations

import dataclasses
import functools
import os
from typing import Self

import numpy as np

from terrasift.clusters import ClusterFacts, arrays_of_facts, facts_of_arrays, gather_facts, merged_legend, sample_facts
from terrasift.data.images import Images, as_files
from terrasift.data.scenes import is_there
from terrasift.discovery import Discovery
from terrasift.errors import RunError, SettingError
from terrasift.evaluation import Evaluation
from terrasift.legend import Legend
from terrasift.machine import take_large_pages
from terrasift.prediction import Predictor
from terrasift.recipe import Changes, Recipe
from terrasift.run import RunFolder

__all__ = ["OpenedRun"]


class OpenedRun(RunFolder):
    """A run's folder with the network, the scores and the facts about clusters that its files hold.

    Parameters
    ----------
    path
        The folder.
    changes
        As for `open`.
    """

    def __init__(self, path: str | os.PathLike[str], changes: Changes = ()) -> None:
        super().__init__(path)
        self._changes = changes
        self._taught_predictors: dict[str, Predictor] = {}

    @classmethod
    def open(cls, path: str | os.PathLike[str], changes: Changes = ()) -> Self:
        """Open a finished run.

        Parameters
        ----------
        path
            The run's folder.
        changes
            As for `Recipe.load`, of keys that do not change what was trained: those under `predict` and `compute`.

        Raises
        ------
        RunError
            If the folder is not a finished run.
        SettingError
            If another key is to be changed.
        """
        run = cls(path, changes)
        _ = run.predictor
        return run

    @functools.cached_property
    def prediction_recipe(self) -> Recipe:
        """How it predicts now: what it was trained with (`recipe`), with the changes that this run was opened with."""
        trained = self.recipe
        changed = trained.changed(self._changes, str(self.recipe_file))
        for name in Recipe.model_fields:
            if name not in ("predict", "compute") and getattr(changed, name) != getattr(trained, name):
                raise SettingError(name, "cannot be changed once a run is trained", "change keys of predict or compute")
        return changed

    @functools.cached_property
    def predictor(self) -> Predictor:
        """The trained network, loaded once."""
        take_large_pages()
        return Predictor(self.load_network(), self.prediction_recipe)

    @property
    def images_at_hand(self) -> list[str]:
        """The images it was trained on that are where they were."""
        return [path for path in self.trained_on if is_there(path)]

    @property
    def evaluation(self) -> Evaluation | None:
        """Every score of the last `evaluate`; None where there was none. RunError if its file is of another run."""
        if not self.evaluation_file.exists():
            return None
        found = Evaluation.load(self.evaluation_file)
        if found.weights not in ("", self.weights_name):
            raise RunError(self.evaluation_file, "is of other weights", "evaluate the run again")
        return found

    @functools.cached_property
    def discovery(self) -> Discovery | None:
        """What was discovered before the training, with ``targets: contrast``; None where nothing was, or is kept."""
        if self.recipe.targets != "contrast" or not self.discovery_file.exists():
            return None
        self.check_discovery()
        return Discovery.load(self.discovery_file)

    @property
    def kept_facts(self) -> ClusterFacts | None:
        """`facts`, if they have been gathered before."""
        classifier = self.legend.classifier
        kept = self.load_facts(classifier)
        return None if kept is None else self._embedded(facts_of_arrays(kept), classifier)

    @property
    def facts(self) -> ClusterFacts | None:
        """What the clusters of the legend's classifier are like, in a bounded sample of the training images.

        Kept in the run once they have been gathered, which takes up to a minute; None where nothing is kept and no
        training image is where it was.
        """
        scenes, kept = self.images_at_hand, self.kept_facts
        if kept is not None or not scenes:
            return kept
        classifier = self.legend.classifier
        facts = sample_facts(self.predictor, scenes, classifier)
        self.save_facts(classifier, arrays_of_facts(facts))
        return self._embedded(facts, classifier)

    def _embedded(self, facts: ClusterFacts, classifier: int) -> ClusterFacts:
        """With the places where discovery found the clusters."""
        if self.discovery is None:
            return facts
        centres = self.discovery.centres[classifier - 1]
        embedding = np.full((self.recipe.clusters, centres.shape[1]), np.nan)
        embedding[: len(centres)] = centres
        return dataclasses.replace(facts, embedding=embedding)

    def merged_legend(self, classes: int | None = None, images: Images | None = None) -> Legend:
        """The legend of clusters that are joined into classes without labels; nothing is written but what is kept.

        Parameters
        ----------
        classes
            How many; None takes what the clusters themselves suggest.
        images
            Where it is looked what the clusters are like; None: the training images.

        Raises
        ------
        SettingError
            If there are not so many clusters in these images.
        RunError
            If none of the training images is where it was.
        """
        return merged_legend(self.facts_in(images), classes, self.legend)

    def facts_in(self, images: Images | None = None) -> ClusterFacts:
        """What the clusters of the legend's classifier are like in these images; None: `facts`, of the training images.

        Raises
        ------
        RunError
            If none of the training images is where it was, and nothing is kept of them.
        """
        if images is not None:
            classifier = self.legend.classifier
            with as_files(images, self.recipe.bands) as scenes:
                return self._embedded(gather_facts(self.predictor, scenes, classifier), classifier)
        facts = self.facts
        if facts is None:
            raise self.images_gone("name images of the kind: `images`")
        return facts

    def merge(self, classes: int | None = None, images: Images | None = None) -> Legend:
        """Take the `merged_legend`; the one before goes to ``legend.previous.yaml``."""
        return self.change_legend(lambda: self.merged_legend(classes, images))

    def predictor_for(self, legend: Legend) -> Predictor:
        """What tells the clusters, or the outputs of a taught classifier, that a legend's classes hold."""
        if not legend.taught:
            return self.predictor
        if legend.taught not in self._taught_predictors:
            classifier = self.load_taught(legend.taught)
            if classifier.in_channels != self.predictor.network.extractor.features:
                raise RunError(self.taught_file, "was taught to another network", "restore both from one run")
            taught = self.predictor.with_classifier(classifier)
            self._taught_predictors = {legend.taught: taught}  # the one before has gone out of force
        return self._taught_predictors[legend.taught]

    def images_gone(self, mend: str) -> RunError:
        """That none of the images it was trained on is where it was."""
        return RunError(self.path, "its training images are not where they were", mend)
