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
# # A hundred labels, and many images without
#
# You have many images and the time to label a hundred of them. A classifier trained on
# those hundred alone is poor. This tour trains one that also learns from the images
# without labels, and looks at what it learnt. It takes minutes on a CPU.
#
# The model is the semi-supervised adversarial autoencoder of
# [Makhzani et al. 2015](https://arxiv.org/abs/1511.05644), section 5.
#
# The first cell installs the package where it is missing, such as on Colab. Keras reads
# `KERAS_BACKEND` when it is imported: `tensorflow`, `jax` or `torch`, if installed.

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
import matplotlib.pyplot as plt
import numpy as np

# %matplotlib inline
# %config InlineBackend.print_figure_kwargs = {"dpi": 100}
logging.getLogger("tensorflow").setLevel("ERROR")  # no hints about tracing
print(f"keras_saae {saae.__version__}, Keras {keras.__version__}", end=", ")
print(f"backend {keras.backend.backend()}")

# %% [markdown]
# ## The images
#
# MNIST, 70,000 images of 28 × 28 pixels, if it is here or can be downloaded; else the
# 1,797 digits of 8 × 8 pixels that come with scikit-learn. The variable
# `KERAS_SAAE_DATASET` (`mnist`, `fashion_mnist` or `digits`) decides instead.

# %%
name = os.environ.get("KERAS_SAAE_DATASET")
if name is None:
    name = "mnist" if saae.data.available("mnist") else "digits"
images = saae.data.load(name)
print(f"{name}: {images.x_train.shape} to train, {images.x_test.shape} to test")

# %% [markdown]
# `split_labels` draws 100 labelled images, ten of each class, and holds some images out
# for validation. `mask_labels` hides the other labels: **−1 means "no label"**.

# %%
split = saae.data.split_labels(images.y_train, labels=100, seed=0)
x, y = images.x_train[split.train], split.mask_labels(images.y_train)
print(f"{len(x):,} images to train on, {np.sum(y >= 0)} with a label")
print("the first labels:", y[:20])

# %% [markdown]
# These are all the labelled images. The model sees no other label.

# %%
rows = [np.hstack(images.x_train[split.labelled][y[y >= 0] == c]) for c in range(10)]
figure, axes = plt.subplots(figsize=(3.5, 3.5), layout="constrained")
axes.imshow(np.vstack(rows), cmap="gray")
axes.set_title("The 100 labelled images, one class per row", fontsize=9)
axes.set_axis_off()

# %% [markdown]
# ## The model
#
# An **encoder** turns an image x into a class code y (probabilities of the ten
# classes) and a style code z (a few numbers). A **decoder** turns (y, z) back into the
# image. Every training step has four phases:
#
# | phase | who learns | what |
# |---|---|---|
# | reconstruction | encoder, decoder | reproduce the image from (y, z) |
# | discriminator | two discriminators | tell codes of images from draws of the priors |
# | generator | encoder | make its codes pass for such draws |
# | classification | encoder | fit the labels |
#
# The priors are one-hot classes for y and N(0, I) for z. So the game of discriminator
# and generator presses y to be a clear decision and z to be plain noise: what kind of
# digit it is should go into y, how it is written into z.
#
# A **recipe** holds all settings and says where they come from. `default_small` is
# `default` for small data sets. Beyond the paper, both use virtual adversarial training
# (`vat_weight`), style consistency (`style_consistency_weight`), batch normalization
# and averaged weights (`averaging`).
#
# We change two settings: the style is two numbers instead of ten, because ten can store
# nearly the whole image, and the decoder of a short run then hardly looks at y
# (exercise 4); and the two regularizers warm up in 50 updates, since the run is short.

# %%
recipe = saae.recipes.get("default_small" if name == "digits" else "default")
recipe = dataclasses.replace(recipe, z_dim=2, warm_up=50)
print(recipe)

# %% [markdown]
# ## Training
#
# A batch has unlabelled images and, beside them, labelled ones, balanced over the
# classes. An epoch is one pass over the unlabelled images.
#
# The full recipe takes `recipe.updates` updates. **This tour stops far earlier**, so
# its errors are larger than a full run's. The learning rates fall to zero over the run,
# so `recipe.model` has to know its length.

# %%
dataset = recipe.dataset(x, y, num_classes=images.num_classes, seed=0)
updates = 300 if name == "digits" else 1_000
epochs = max(1, updates // len(dataset))
print(f"{epochs} epochs of {len(dataset)} updates: {dataset.updates(epochs):,}")
print(f"the full recipe: {recipe.updates:,} updates")

keras.utils.set_random_seed(0)
model = recipe.model(dataset, epochs=epochs, seed=0)
history = model.fit(
    dataset,
    epochs=epochs,
    validation_data=(
        images.x_train[split.validation],
        images.y_train[split.validation],
    ),
    callbacks=[
        *recipe.callbacks(),
        saae.callbacks.TrainingSummary(every=max(1, epochs // 5)),
    ],
    verbose=0,
)

# %% [markdown]
# Dashed lines mark a discriminator that guesses. A good game ends near them: then the
# codes of images look like draws from the priors. Discriminators that are always right
# mean that the encoder does not learn to fool them.

# %%
saae.plotting.learning_curves(history.history)

# %% [markdown]
# ## The autoencoder
#
# Images of the test set, never trained on, and what the decoder makes of their codes.

# %%
x_test, y_test = images.x_test, images.y_test
saae.plotting.reconstructions(x_test, model.reconstruct(x_test[:12]), num_images=12)

# %% [markdown]
# The decoder is also a generator. Below, a row has one class y and a column one style
# z, drawn from the prior. If class and style come apart, all images of a column look
# written by one hand.

# %%
saae.plotting.class_style_grid(model.class_style_grid(10))

# %% [markdown]
# Only the first number of z changes along a row here; the other one is zero.

# %%
values = np.linspace(-2, 2, 9)
styles = np.zeros((len(values), model.z_dim), "float32")
styles[:, 0] = values
saae.plotting.style_sweep(model.class_style_grid(styles), values)

# %% [markdown]
# The style codes of the test images should be distributed as the prior is. After a
# short run they are on their way.

# %%
y_codes, z_codes = model.encode(x_test)
saae.plotting.style_histogram(z_codes, dimension=0)

# %% [markdown]
# ## The classifier
#
# `predict` returns class probabilities. The largest one tells how sure the classifier
# is; errors should be found among the unsure images.

# %%
probabilities = model.predict(x_test, verbose=0)
saae.plotting.confidence_histogram(probabilities, y_test)

# %%
predicted = probabilities.argmax(axis=-1)
saae.plotting.predicted_columns(x_test, predicted, y_test)

# %% [markdown]
# ## Was it worth it?
#
# The baseline is the same encoder as a classifier, trained on the 100 labelled images
# only, with settings of its own.

# %%
labels_only = dataclasses.replace(saae.recipes.LABELS_ONLY, hidden=recipe.hidden)
baseline_dataset = labels_only.dataset(x, y)
baseline = labels_only.model(baseline_dataset)
baseline.fit(baseline_dataset, epochs=labels_only.epochs(baseline_dataset), verbose=0)
for title, classifier in (
    ("100 labels only", baseline),
    ("100 labels and the unlabelled images", model),
):
    error = saae.evaluation.error_rate(y_test, classifier.predict(x_test, verbose=0))
    print(f"test error with {title}: {error:.2f} %")

# %% [markdown]
# That is one short run with one draw of labels; another draw (`seed=1`) gives other
# numbers. For figures worth quoting, train the full recipe on several draws:
# `python examples/mnist_semisup.py --seed=0`.

# %% [markdown]
# ## Your own images
#
# Bring arrays: images as uint8, or as float in [0, 1], of shape `(n, height, width)` or
# `(n, height, width, channels)`; labels as integers, −1 where there is none. An encoder
# of your own is any Keras model from images to features: the model adds the heads for y
# and z. A decoder maps y and z, side by side, to images in [0, 1].

# %%
my_images, my_labels = x[..., np.newaxis], y  # (n, height, width, 1)
shape, num_classes, z_dim = my_images.shape[1:], images.num_classes, 5

encoder = keras.Sequential(
    [
        keras.Input(shape),
        keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(100, activation="relu"),
    ]
)
own = saae.SemiSupervisedAAE(
    encoder=encoder,
    decoder=saae.networks.mlp_decoder(shape, num_classes + z_dim, hidden=(200,)),
    discriminator_z=saae.networks.mlp_discriminator(z_dim, hidden=(100,)),
    discriminator_y=saae.networks.mlp_discriminator(num_classes, hidden=(100,)),
    prior_z=saae.priors.Gaussian(z_dim),
    prior_y=saae.priors.Categorical(num_classes),
    input_noise=0.1,
    vat_weight=1.0,
    seed=0,
)

# %% [markdown]
# `compile` takes one Keras optimizer per phase; here, those of the recipe. A few epochs
# show that it runs.

# %%
dataset = recipe.dataset(my_images, my_labels, num_classes=num_classes)
epochs = 5 if name == "digits" else 1
own.compile(recipe.phase_optimizers(updates=dataset.updates(epochs)))
own.fit(dataset, epochs=epochs, verbose=0)
scores = own.evaluate(x_test[..., np.newaxis], y_test, return_dict=True, verbose=0)
print(f"test error after {epochs} epochs: {scores['error']:.2f} %")

# %% [markdown]
# ## Exercises
#
# 1. Draw other labels: `seed=1`, `seed=2`. How far apart are the errors?
# 2. Use 50 labels, or 500. Where do the unlabelled images stop helping?
# 3. Switch virtual adversarial training off:
#    `recipe = dataclasses.replace(recipe, vat_weight=0.0)`.
#    What happens to the error, and to the confidence?
# 4. Give the style ten numbers, `z_dim=10`. How do the reconstructions change, and how
#    the grid of classes and styles? Does a longer run help?
# 5. Decode the codes of one image with every class in turn:
#    `model.sample(10, label=np.arange(10), style=z_codes[0])`. Does the style stay?
# 6. Train ten times longer. Does the discriminator accuracy go to 50 %?
# 7. Train the paper's own settings, `saae.recipes.get("paper")`, as long as `default`.
#    Pass `recipe.callbacks()` to `fit`: they drop its learning rates.
# 8. Restart with `KERAS_BACKEND=jax`. Which numbers change?
