"""Every setting of a run as one validated tree."""

from terrasift.recipe.changes import Changes
from terrasift.recipe.settings import Compute, Losses, Predict, Recipe, Refinement, Scaling, recipe_names
from terrasift.recipe.wording import Key

__all__ = ["Changes", "Compute", "Key", "Losses", "Predict", "Recipe", "Refinement", "Scaling", "recipe_names"]
