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
    adversarial_vae,
    clustering_aae,
    dimensionality_reduction_aae,
    gaussian_mixture_vae,
    label_informed_aae,
    m1,
    m2,
    neural_network,
    semi_supervised_aae,
    stacked_m2,
    supervised_aae,
)
from keras_saae.recipes.aae import AAERecipe
from keras_saae.recipes.adversarial_vae import (
    SemiSupervisedAdversarialVAERecipe,
    VariationalEncoderClassifierRecipe,
)
from keras_saae.recipes.clustering_aae import ClusteringAAERecipe
from keras_saae.recipes.dimensionality_reduction_aae import (
    DimensionalityReductionAAERecipe,
)
from keras_saae.recipes.gaussian_mixture_vae import GaussianMixtureVAERecipe
from keras_saae.recipes.label_informed_aae import LabelInformedAAERecipe
from keras_saae.recipes.m1 import M1Recipe
from keras_saae.recipes.m2 import M2Recipe
from keras_saae.recipes.neural_network import LABELS_ONLY, NeuralNetworkRecipe
from keras_saae.recipes.recipe import Recipe
from keras_saae.recipes.semi_supervised_aae import SemiSupervisedAAERecipe
from keras_saae.recipes.stacked_m2 import StackedM2Recipe
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
        stacked_m2,
        gaussian_mixture_vae,
        adversarial_vae,
    )
    for recipe in module.RECIPES
}

SMALL_DATASETS = ("digits",)  # a few thousand small images


def get(name, dataset=None):
    """The recipe of that name, or its sibling for small data.

    Args:
        name: "paper", "adamw", "default", or "default_small" for a few thousand
            small images such as the digits; "augmented", "convolutional" and
            "generative", ours for images, for many labels and for drawing;
            "labels_only", "nn" and "vat" for the baselines; "aae", "label_informed",
            "supervised", "clustering", "dimensionality_reduction" for the rest of the
            family; "m1", "m2", "m1_m2", "mixture_vae" for the variational models. Most
            have a sibling that ends in "_small" and one that begins with "paper_".
            "clustering_many" is for more clusters than classes; "likelihood" and
            "likelihood_in_clusters" for samples near images; "encoder_classifier" and
            "adversarial_vae" for the two-step model, with "_small" ones. More in
            `RECIPES`.
        dataset: name of the data set to train on, as of `data.load`. For a small one,
            the digits, it is `<name>_small` that counts, where there is such a recipe;
            without, the name alone.

    Raises:
        ValueError: if there is none of that name.
    """
    checks.check_choice("recipe", name, tuple(RECIPES))
    small = f"{name}_small"
    if dataset in SMALL_DATASETS and small in RECIPES:
        return RECIPES[small]
    return RECIPES[name]


__all__ = [
    "AAERecipe",
    "ClusteringAAERecipe",
    "DimensionalityReductionAAERecipe",
    "GaussianMixtureVAERecipe",
    "LABELS_ONLY",
    "LabelInformedAAERecipe",
    "M1Recipe",
    "M2Recipe",
    "NeuralNetworkRecipe",
    "RECIPES",
    "Recipe",
    "SemiSupervisedAAERecipe",
    "SemiSupervisedAdversarialVAERecipe",
    "StackedM2Recipe",
    "SupervisedAAERecipe",
    "VariationalEncoderClassifierRecipe",
    "get",
]
