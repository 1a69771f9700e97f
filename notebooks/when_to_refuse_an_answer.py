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
# # When to refuse an answer
#
# A classifier answers whatever it is shown: a letter, noise, an image made to deceive
# it. A model that can also draw images knows more: whether the code lies where codes of
# that class lie, and whether it can draw what it saw. `SelectiveClassifier` refuses
# images for which one of the two fails, after [Ghosh et
# al.](https://arxiv.org/abs/1806.00081), whose Gaussian-mixture VAE is trained here.
#
# Training takes minutes at most, **less than the recipe would**.

# %%
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
# ## A Gaussian for each class
#
# `GaussianMixtureVAE` pulls the codes of each class to a Gaussian of its own. Some
# training images are held out: the thresholds are chosen on them.

# %%
split = saae.data.split_labels(images.y_train, labels="all", seed=0)
x, y = images.x_train[split.train], split.mask_labels(images.y_train)
x_held_out = images.x_train[split.validation]
y_held_out = images.y_train[split.validation]

recipe = saae.recipes.get("mixture_vae", name)
dataset = recipe.dataset(x, y, num_classes=images.num_classes)
epochs = max(1, 800 // len(dataset))
model = recipe.model(dataset, epochs)
model.fit(dataset, epochs=epochs, verbose=0)
error = saae.evaluation.error_rate(y_test, model.predict(x_test, verbose=0))
print(f"{error:.1f} % test error if every image gets an answer")

# %% [markdown]
# ## Two thresholds for each class
#
# One on the distance of the code from the class's mean, one on the error of the
# reconstruction. Ask for a coverage: the share of held-out images that gets an answer.

# %%
classifier = saae.evaluation.SelectiveClassifier(model, model.means)
classifier.calibrate(x_held_out, y_held_out, coverage=0.9)
scores = classifier.evaluate(x_test, y_test)
print(f"{scores['rejected']:.1f} % refused,", end=" ")
print(f"{scores['accepted_error']:.1f} % of the others wrong")

# %% [markdown]
# The less it has to answer, the less it errs. Beside it what the largest probability
# gives, which every classifier has.

# %%
found = classifier.predict(x_test)
q = model.predict(x_test, verbose=0)
saae.plotting.risk_coverage(
    {
        "code and reconstruction": saae.evaluation.risk_coverage(
            y_test, found.label, found.confidence
        ),
        "largest probability": saae.evaluation.risk_coverage(
            y_test, found.label, q.max(axis=1)
        ),
    }
)

# %% [markdown]
# Images that it refuses, and below what it makes of them.

# %%
refused = x_test[~found.accepted][:12]
saae.plotting.reconstructions(refused, model.reconstruct(refused))

# %% [markdown]
# ## What no class looks like
#
# Noise, and digits upside down: the classifier is sure of many of them, and the
# two thresholds refuse more.

# %%
rng = np.random.default_rng(0)
strangers = {
    "noise": rng.integers(256, size=x_test[:200].shape, dtype="uint8"),
    "upside down": x_test[:200, ::-1],
}
for title, strange in strangers.items():
    sure = (model.predict(strange, verbose=0).max(axis=1) > 0.9).mean()
    refused = (~classifier.predict(strange).accepted).mean()
    print(f"{title}: sure of {100 * sure:.0f} %, refused {100 * refused:.0f} %")

# %% [markdown]
# ## Images made to deceive
#
# `attacks.pgd` looks for the change of at most ε in each pixel that makes the class
# wrong. It knows the classifier and nothing of the thresholds; `evasion_loss` makes one
# that knows both. On the small digits, where ε = 0.3 turns one digit into another, many
# get through all the same: the image lies where images of the wrong class lie.
# A refusal that works against strangers is no defence against somebody who tries.

# %%
x_victims, y_victims = x_test[:200] / 255.0, y_test[:200]
rows = [("no attack", x_victims)]
for epsilon in (0.1, 0.3):
    attacked = saae.evaluation.attacks.pgd(
        model, x_victims, y_victims, epsilon=epsilon, restarts=1
    )
    rows.append((f"epsilon {epsilon}", attacked))
aware = saae.evaluation.attacks.pgd(
    model,
    x_victims,
    y_victims,
    epsilon=0.3,
    restarts=1,
    loss=saae.evaluation.evasion_loss(classifier),
)
rows.append(("epsilon 0.3, knowing the thresholds", aware))
for title, seen in rows:
    error = saae.evaluation.error_rate(y_victims, model.predict(seen, verbose=0))
    scores = classifier.evaluate(seen, y_victims)
    print(
        f"{title}: {error:.0f} % wrong if all are answered; {scores['rejected']:.0f} % "
        f"refused, {scores['undetected']:.1f} % answered wrongly"
    )

# %% [markdown]
# ## What the second threshold is of
#
# By the Euclidean distance, the paper's, a little grey all over a black background
# weighs less than a stroke that is missed, and that is what attacks leave. By
# cross-entropy it weighs more: that stops nearly all attacks that know nothing of it,
# at the price of refusing harmless changes too.

# %%
by_cross_entropy = saae.evaluation.SelectiveClassifier(
    model, model.means, reconstruction_error="cross_entropy"
)
by_cross_entropy.calibrate(x_held_out, y_held_out, coverage=0.9)
for title, seen in rows[:-1]:  # the last one knows the other thresholds
    scores = by_cross_entropy.evaluate(seen, y_victims)
    print(
        f"{title}: {scores['rejected']:.0f} % refused, "
        f"{scores['undetected']:.1f} % answered wrongly"
    )
