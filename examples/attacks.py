"""Attacks on a classifier that refuses: FGSM, BIM, PGD, MIM, and one that knows it.

    python examples/attacks.py --labels=all --images=1000
    python examples/attacks.py --first_step=runs/mixture_vae_mnist_0
    KERAS_BACKEND=jax python examples/attacks.py --dataset=digits

Trains the mixture VAE and sets its thresholds, as examples/mixture_vae.py does with the
same flags, or takes the model of such a run, and attacks test images. `attacks` in
results.json has a row for each attack and epsilon, in percent: `error`, were none
refused, `rejected`, `accepted_error` and `undetected`, accepted and wrong, of all; and
the means of what attacks climb: the `log_odds` against the true class, in nats, and
`evasion`, see `evasion_loss`. Of the ends of all starts and step sizes each image keeps
one that is accepted and wrong, if there is any, else that which climbed highest.

Two attacks are there to doubt the rest: `transfer`, PGD on another classifier, should
not be stronger than PGD; `aware`, PGD that knows both thresholds, shows what is left of
the defence. Two signs of masked gradients are told: a `transfer_excess` above 0, in
points of `error` or `undetected`, and `loss_does_not_grow`, the attacks whose loss does
not grow with epsilon (`losses_that_do_not_grow` of them). Of the images
that FGSM attacked at the largest epsilon, `reclassified_right` percent get their class
back and are accepted, `reclassified_wrong` another one; the rest is refused. Codes are
sought under the prior; as published, without it, `unguided_reclassified_right` percent
are right. Images of noise are accepted to `noise_accepted` percent, and to
`fooling_accepted` once each has been driven to a class. Scores `clean_` are of all test
images, `clean_attacked_` of those that were attacked, before.

Figures: undetected errors over epsilon; images clean, attacked and reclassified, with
what each was taken for and which were refused.
"""

from pathlib import Path

import common
import mixture_vae
from absl import flags

flags.adopt_module_key_flags(mixture_vae)
_IMAGES = flags.DEFINE_integer("images", 1000, "Test images attacked.", lower_bound=1)
_EPSILONS = flags.DEFINE_list(
    "epsilons",
    ["0.05", "0.1", "0.15", "0.2", "0.25", "0.3"],
    "Largest changes of a pixel.",
)
_ITERATED_EPSILONS = flags.DEFINE_list(
    "iterated_epsilons",
    None,
    "Those of --epsilons at which the attacks run that take many steps, all but FGSM; "
    "all if not given, of the digits the largest.",
)
_STEPS = flags.DEFINE_integer(
    "steps",
    None,
    "Steps of PGD, 40 if not given, on the digits 20; BIM and MIM make at most 10.",
    lower_bound=1,
)
_RESTARTS = flags.DEFINE_integer(
    "restarts",
    None,
    "Starts of BIM, MIM and PGD; 5 if not given, on the digits 2.",
    lower_bound=1,
)
_FIRST_STEP = flags.DEFINE_string(
    "first_step",
    None,
    "Output folder of a run of examples/mixture_vae.py with the same flags, whose "
    "model is attacked instead of one that is trained anew.",
)

STEP_SIZES = (1.0, 2.5)  # each in turn, in units of epsilon / steps

NUM_SHOWN = 10


def main(argv):
    """Trains, attacks test images, and writes everything down."""
    del argv
    from keras_saae.evaluation import attacks, evasion_loss

    epsilons, iterated = chosen_epsilons()
    taken_from = Path(_FIRST_STEP.value) if _FIRST_STEP.value else None
    run, classifier = mixture_vae.train_selective(taken_from)
    num_images, search = _IMAGES.value, {}
    # The digits are there to look, in two minutes, not to judge a defence by.
    steps, restarts = (20, 2) if common.FLAGS.dataset == "digits" else (40, 5)
    strongest = {
        "steps": _STEPS.value or steps,
        "restarts": _RESTARTS.value or restarts,
    }
    if common.FLAGS.smoke:
        num_images = min(20, num_images)
        epsilons, iterated = epsilons[-1:], epsilons[-1:]
        strongest, search = {"steps": 3, "restarts": 1}, {"steps": 5}
    x, y = run.images.x_test[:num_images], run.images.y_test[:num_images]
    losses = {
        "log_odds": attacks.log_odds_loss(run.model.classify, from_logits=True),
        "transfer": attacks.log_odds_loss(common.judge(run)),
        "evasion": evasion_loss(classifier),
    }
    losses = {name: attacks.CompiledLoss(loss) for name, loss in losses.items()}
    rows, by_fgsm = [], None
    for epsilon in epsilons:
        many_steps = strongest if epsilon in iterated else None
        found = attacks_on(losses, x, y, epsilon, many_steps, classifier)
        for name, attacked in found:
            rows.append(row_of(name, epsilon, attacked, y, losses, classifier))
            if name == "fgsm":
                by_fgsm = attacked
            print(f"{name} {epsilon}: undetected {rows[-1]['undetected']:.2f} %")
    again = classifier.reclassify(by_fgsm, prior_weight=1.0, **search)
    unguided = classifier.reclassify(by_fgsm, **search)
    results = {
        **summary(rows),
        **reclassified(again, unguided, y),
        **of_noise(losses["log_odds"], x.shape, classifier, strongest),
        **under("clean", classifier.evaluate(run.images.x_test, run.images.y_test)),
        **under("clean_attacked", classifier.evaluate(x, y)),
    }
    run.results.update(attacks=rows, attacked_images=len(x), **strongest)
    run.results["step_sizes"] = STEP_SIZES
    pictures = figures(rows, x, by_fgsm, epsilons[-1], again, run.model, classifier)
    common.finish(run, results, pictures)


def chosen_epsilons():
    """Those of FGSM, and those of the attacks that take many steps."""
    epsilons = numbers("epsilons", _EPSILONS.value)
    if _ITERATED_EPSILONS.value is None:
        return epsilons, epsilons[-1:] if common.FLAGS.dataset == "digits" else epsilons
    iterated = numbers("iterated_epsilons", _ITERATED_EPSILONS.value)
    if not set(iterated) <= set(epsilons):
        common.sys.exit(
            f"--iterated_epsilons are some of --epsilons={_EPSILONS.value}. "
            f"Received: {_ITERATED_EPSILONS.value}"
        )
    return epsilons, iterated


def row_of(name, epsilon, attacked, y, losses, classifier):
    """What an attack came to, in percent, and what it climbed."""
    from keras import ops

    row = {"attack": name, "epsilon": epsilon, **classifier.evaluate(attacked, y)}
    for climbed in ("log_odds", "evasion"):
        values = losses[climbed].score(attacked, y)
        row[climbed] = float(ops.convert_to_numpy(values).mean())
    return row


def reclassified(again, unguided, y):
    """Shares that get their class back, under the prior and without it, in percent."""
    right, right_unguided = again.label == y, unguided.label == y
    return {
        "reclassified_right": percent(right & again.accepted),
        "reclassified_wrong": percent(~right & again.accepted),
        "reclassified_right_if_none_were_refused": percent(right),
        "unguided_reclassified_right": percent(right_unguided & unguided.accepted),
    }


def of_noise(log_odds, shape, classifier, strongest):
    """Shares of noise that is accepted, as it is and driven to a class, in percent."""
    import numpy as np

    from keras_saae.evaluation import attacks

    noise = np.random.default_rng(common.FLAGS.seed).random(shape, "float32")
    fooling = attacks.pgd(
        None,
        noise,
        np.arange(len(noise)) % len(classifier.means),
        epsilon=1.0,
        **with_step_sizes(1.0, **strongest),
        loss=-log_odds,
    )
    return {
        "noise_accepted": percent(classifier.predict(noise).accepted),
        "fooling_accepted": percent(classifier.predict(fooling).accepted),
    }


def under(prefix, scores):
    """The scores by longer names."""
    return {f"{prefix}_{name}": value for name, value in scores.items()}


def figures(rows, x, by_fgsm, epsilon, again, model, classifier):
    """Undetected errors over epsilon; images clean, attacked and reclassified."""
    import numpy as np

    from keras_saae import plotting

    curves = {
        name: list(
            zip(*((r["epsilon"], r["undetected"]) for r in rows if r["attack"] == name))
        )
        for name in dict.fromkeys(row["attack"] for row in rows)
    }
    clean_and_attacked = [x[:NUM_SHOWN] / np.float32(255.0), by_fgsm[:NUM_SHOWN]]
    decided = [*map(classifier.predict, clean_and_attacked), again]
    redrawn = model.decode(again.code[:NUM_SHOWN])
    return {
        "undetected": plotting.lines(curves, "epsilon", "accepted and wrong (%)"),
        "images": plotting.decisions(
            np.stack([*clean_and_attacked, redrawn]),
            [found.label[:NUM_SHOWN] for found in decided],
            [found.accepted[:NUM_SHOWN] for found in decided],
            ["clean", "attacked", "reclassified"],
            f"Attacked by FGSM, epsilon {epsilon}, and decoded once more",
        ),
    }


def numbers(flag, texts):
    """The value of a flag that lists epsilons, in order."""
    try:
        epsilons = sorted(float(text) for text in texts)
    except ValueError:
        common.sys.exit(f"--{flag} are numbers. Received: {texts}")
    if not epsilons or not all(0 <= epsilon <= 1 for epsilon in epsilons):
        common.sys.exit(f"--{flag} lie in [0, 1]. Received: {texts}")
    return epsilons


def summary(rows):
    """The worst of the rows, and what would speak for masked gradients."""
    import numpy as np

    # Where all attacks ran.
    largest = max(row["epsilon"] for row in rows if row["attack"] == "pgd")

    def of(names, key="undetected", last=False):
        return [
            row[key]
            for row in rows
            if row["attack"] in names and (row["epsilon"] == largest or not last)
        ]

    on_class = ("fgsm", "bim", "mim", "pgd")
    climbed = {**dict.fromkeys(on_class, "log_odds"), "aware": "evasion"}
    pairs = [
        pair
        for key in ("error", "undetected")
        for pair in zip(of(["transfer"], key), of(["pgd"], key))
    ]
    still = [
        name for name, loss in climbed.items() if np.any(np.diff(of([name], loss)) <= 0)
    ]
    return {
        "fgsm_undetected": max(of(["fgsm"])),  # at the worst epsilon
        "iterated_undetected": max(of(on_class[1:], last=True)),  # at the largest
        "aware_undetected": max(of(["aware"], last=True)),
        "transfer_excess": max(other - own for other, own in pairs),
        "losses_that_do_not_grow": len(still),
        "loss_does_not_grow": still,
    }


def percent(chosen):
    """Share of True."""
    return 100.0 * float(chosen.mean())


def with_step_sizes(epsilon, steps, restarts):
    """Arguments of an iterated attack that tries several sizes of step."""
    sizes = [size * epsilon / steps for size in STEP_SIZES if epsilon]
    return {"steps": steps, "restarts": restarts, "step_size": sizes or None}


def attacks_on(losses, x, y, epsilon, strongest, classifier):
    """Yields the name of each attack and the images that it makes.

    `strongest` has the steps and restarts of those that iterate; None for FGSM alone.
    Of their ends they keep one that the classifier accepts as another class.
    """
    from keras_saae.evaluation import attacks

    def succeeds(x, y):
        found = classifier.predict(x)
        return found.accepted & (found.label != y)

    def attack(method, loss, **settings):
        return method(None, x, y, epsilon, loss=losses[loss], **settings)

    yield "fgsm", attack(attacks.fgsm, "log_odds")
    if strongest is None:
        return
    many = with_step_sizes(epsilon, **strongest)
    few = {**strongest, "steps": min(strongest["steps"], 10)}
    few = with_step_sizes(epsilon, **few)
    many["succeeds"] = few["succeeds"] = succeeds
    yield "bim", attack(attacks.bim, "log_odds", **few)
    yield "mim", attack(attacks.mim, "log_odds", **few)
    yield "pgd", attack(attacks.pgd, "log_odds", **many)
    yield "transfer", attack(attacks.pgd, "transfer", **many)
    yield "aware", attack(attacks.pgd, "evasion", **many)


if __name__ == "__main__":
    common.start(main)
