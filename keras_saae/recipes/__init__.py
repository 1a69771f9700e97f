"""Named settings: what to build and how to train it, each with its source.

>>> recipe = recipes.get("default")
>>> print(recipe)                      # every setting, and where it comes from
>>> dataset = recipe.dataset(x, y)     # y is -1 where there is no label
>>> model = recipe.model(dataset, epochs=20)
>>> model.fit(dataset, epochs=20, callbacks=recipe.callbacks())
"""

from keras_saae import checks
from keras_saae.recipes import (
    aae,
    clustering_aae,
    dimensionality_reduction_aae,
    label_informed_aae,
    m1,
    m2,
    neural_network,
    semi_supervised_aae,
    supervised_aae,
)
from keras_saae.recipes.aae import AAERecipe
from keras_saae.recipes.clustering_aae import ClusteringAAERecipe
from keras_saae.recipes.dimensionality_reduction_aae import (
    DimensionalityReductionAAERecipe,
)
from keras_saae.recipes.label_informed_aae import LabelInformedAAERecipe
from keras_saae.recipes.m1 import M1Recipe
from keras_saae.recipes.m2 import M2Recipe
from keras_saae.recipes.neural_network import LABELS_ONLY, NeuralNetworkRecipe
from keras_saae.recipes.recipe import Recipe
from keras_saae.recipes.semi_supervised_aae import SemiSupervisedAAERecipe
from keras_saae.recipes.supervised_aae import SupervisedAAERecipe

RECIPES = {
    recipe.name: recipe
    for module in (
        semi_supervised_aae,
        neural_network,
        aae,
        label_informed_aae,
        supervised_aae,
        clustering_aae,
        dimensionality_reduction_aae,
        m1,
        m2,
    )
    for recipe in module.RECIPES
}


def get(name):
    """The recipe of that name.

    Args:
        name: "paper", "adamw", "default", or "default_small" for a few thousand
            small images such as the digits; "augmented" and "generative", ours for
            images and for drawing them; "labels_only", "nn" and "vat" for the
            baselines; "aae", "label_informed", "supervised", "clustering",
            "dimensionality_reduction" for the rest of the family, which all have a
            sibling that ends in "_small" and one that begins with "paper_". More in
            `RECIPES`.

    Raises:
        ValueError: if there is none of that name.
    """
    checks.check_choice("recipe", name, tuple(RECIPES))
    return RECIPES[name]


__all__ = [
    "AAERecipe",
    "ClusteringAAERecipe",
    "DimensionalityReductionAAERecipe",
    "LABELS_ONLY",
    "LabelInformedAAERecipe",
    "M1Recipe",
    "M2Recipe",
    "NeuralNetworkRecipe",
    "RECIPES",
    "Recipe",
    "SemiSupervisedAAERecipe",
    "SupervisedAAERecipe",
    "get",
]
