"""Named settings: what to build and how to train it, each with its source.

>>> recipe = recipes.get("default")
>>> print(recipe)                      # every setting, and where it comes from
>>> dataset = recipe.dataset(x, y)     # y is -1 where there is no label
>>> model = recipe.model(dataset, epochs=20)
>>> model.fit(dataset, epochs=20, callbacks=recipe.callbacks())
"""

from keras_saae import checks
from keras_saae.recipes import neural_network, semi_supervised_aae
from keras_saae.recipes.neural_network import LABELS_ONLY, NeuralNetworkRecipe
from keras_saae.recipes.recipe import Recipe
from keras_saae.recipes.semi_supervised_aae import SemiSupervisedAAERecipe

RECIPES = {
    recipe.name: recipe
    for recipe in (*semi_supervised_aae.RECIPES, *neural_network.RECIPES)
}


def get(name):
    """The recipe of that name.

    Args:
        name: "paper", "adamw", "default", or "default_small" for a few thousand
            small images such as the digits; "augmented" and "generative", ours for
            images and for drawing them; "labels_only", "nn" and "vat" for the
            baselines; more in `RECIPES`.

    Raises:
        ValueError: if there is none of that name.
    """
    checks.check_choice("recipe", name, tuple(RECIPES))
    return RECIPES[name]


__all__ = [
    "LABELS_ONLY",
    "RECIPES",
    "NeuralNetworkRecipe",
    "Recipe",
    "SemiSupervisedAAERecipe",
    "get",
]
