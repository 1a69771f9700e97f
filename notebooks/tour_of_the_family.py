# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A tour of the family
#
# An adversarial autoencoder learns to reproduce images, while a discriminator presses
# its codes to be distributed like a prior. What prior, and who tells the code about
# classes, makes a family of models: those of [Makhzani et al.
# 2015](https://arxiv.org/abs/1511.05644), one picture each.
#
# Every stop trains for a minute or less, **far shorter than the recipes would**, so the
# pictures are sketches. `examples/` has a program for each model that runs its recipe
# in full and scores it. For labels on few of many images see
# `semi_supervised_mnist.ipynb`.

# %%
import dataclasses
import logging
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

try:
    import keras_saae as saae
except ImportError:
    # %pip install -q "git+https://github.com/OWNER/keras_saae"
    import keras_saae as saae

import keras
import numpy as np

# %matplotlib inline
# %config InlineBackend.print_figure_kwargs = {"dpi": 100}
logging.getLogger("tensorflow").setLevel("ERROR")  # no hints about tracing
print(f"keras_saae {saae.__version__}, Keras {keras.__version__}", end=", ")
print(f"backend {keras.backend.backend()}")

# %% [markdown]
# ## The images
#
# MNIST, if it is here or can be downloaded; else the 1,797 digits of 8 × 8 pixels that
# come with scikit-learn. The variable `KERAS_SAAE_DATASET` decides instead.

# %%
name = os.environ.get("KERAS_SAAE_DATASET")
if name is None:
    name = "mnist" if saae.data.available("mnist") else "digits"
images = saae.data.load(name)
x_test, y_test = images.x_test, images.y_test
print(f"{name}: {images.x_train.shape} to train, {images.x_test.shape} to test")

# %% [markdown]
# A recipe makes data set and model; `train` shortens it.


# %%
def train(name_of_recipe, y=None, updates=600, **changes):
    """The recipe's model, trained for a few hundred updates."""
    recipe = saae.recipes.get(name_of_recipe, name)
    recipe = dataclasses.replace(recipe, **changes)
    dataset = recipe.dataset(images.x_train, y, num_classes=images.num_classes)
    epochs = max(1, updates // len(dataset))
    model = recipe.model(dataset, epochs)
    model.fit(dataset, epochs=epochs, verbose=0)
    return model


# %% [markdown]
# ## Codes distributed like any prior
#
# `AAE`, section 2: the codes of images fill a shape of your choice, here ten petals.
# The colours are the classes, which the model was never told.

# %%
model = train("aae", updates=1500, prior="mixture")
draws = keras.ops.convert_to_numpy(model.prior.sample(1000, seed=0))
saae.plotting.codes(model.encode(x_test[:1000]), y_test[:1000], draws)

# %% [markdown]
# ## A part of the prior for each class
#
# `LabelInformedAAE`, section 2.3: some images have a label, which the discriminator
# sees beside the code. Each class then moves into a petal of its own.

# %%
some_labels = np.where(np.arange(len(images.y_train)) % 2, images.y_train, -1)
model = train("label_informed", some_labels, prior="mixture")
draws = keras.ops.convert_to_numpy(model.prior.sample(1000, seed=0))
saae.plotting.codes(model.encode(x_test[:1000]), y_test[:1000], draws)

# %% [markdown]
# ## Style without class
#
# `SupervisedAAE`, section 4: the decoder is told the class, so the code need not hold
# it. Each row below takes the style of the test image at its left through all classes.

# %%
model = train("supervised", images.y_train)
styles = model.encode(x_test[:8])
drawn = model.class_style_grid(styles).swapaxes(0, 1)
shown = np.concatenate([x_test[:8, None] / 255.0, drawn], axis=1)
saae.plotting.image_grid(shown, "One style per row, one class per column")

# %% [markdown]
# ## Clusters
#
# `ClusteringAAE`, section 6: the code has a one-hot part, which becomes the cluster.
# Left each cluster's own image, then the test images that are surest to belong to it.

# %%
model = train("clustering")
clusters = model.predict(x_test, verbose=0)
heads = model.decode(np.eye(10), np.zeros((10, model.z_dim)))
accuracy = saae.evaluation.one_to_one_accuracy(y_test, clusters)
print(f"{accuracy:.1f} % of the test images in the cluster of their class")
saae.plotting.clusters(heads, x_test, clusters)

# %% [markdown]
# ## The plane
#
# `DimensionalityReductionAAE`, section 7: a point for every image, near the head of its
# class (the small images), from a hundred labels. `transform` returns the points.

# %%
split = saae.data.split_labels(images.y_train, labels=100, seed=0, validation=0)
model = train("dimensionality_reduction", split.mask_labels(images.y_train))
heads = keras.ops.convert_to_numpy(model.heads)
points = {"Adversarial autoencoder": model.transform(x_test[:1000])}
decoded = (heads, model.inverse_transform(heads))
saae.plotting.planes(points, y_test[:1000], heads, decoded)

# %% [markdown]
# ## Variational relatives
#
# On the same phases and data: `M2` (Kingma et al. 2014) has the same class and style,
# and a bound of the likelihood in the place of the discriminators. One class per row,
# one style per column.

# %%
model = train("m2", split.mask_labels(images.y_train))
saae.plotting.class_style_grid(model.class_style_grid(10))
