"""Attacks on a classifier that refuses: FGSM, BIM, PGD, MIM, and one that knows it.

    python examples/attacks.py --labels=all --images=1000
    KERAS_BACKEND=jax python examples/attacks.py --dataset=digits

Trains the mixture VAE and sets its thresholds, as examples/mixture_vae.py does with the
same flags, and attacks test images. `attacks` in results.json has a row for each attack
and epsilon, in percent: `error` were none refused, `rejected`, `accepted_error` and
`undetected`, accepted and wrong, of all; and the mean `log_odds` against the true
class, in nats. Of the ends of all starts and step sizes each image keeps that of the
highest log-odds.

Two attacks are there to doubt the rest: `transfer`, PGD on another classifier, should
not be stronger than PGD; `aware`, PGD that knows both thresholds, shows what is left of
the defence. Two signs of masked gradients are told: `transfer_is_stronger`, and
`loss_does_not_grow`, the attacks whose log-odds do not grow with epsilon. Of what FGSM
changed at the largest epsilon, `reclassified_right` get their class back. Images of
noise are accepted to `noise_accepted` percent, and to `fooling_accepted` once each has
been driven to a class.

Figures: undetected errors over epsilon; images clean, attacked, reconstructed.
"""

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
_STEPS = flags.DEFINE_integer(
    "steps", 40, "Steps of PGD; BIM and MIM make at most 10.", lower_bound=1
)
_RESTARTS = flags.DEFINE_integer(
    "restarts", 5, "Starts of BIM, MIM and PGD.", lower_bound=1
)

STEP_SIZES = (1.0, 2.5)  # each in turn, in units of epsilon / steps

NUM_SHOWN = 10


def main(argv):
    """Trains, attacks test images, and writes everything down."""
    del argv
    import numpy as np
    from keras import ops

    from keras_saae import plotting
    from keras_saae.evaluation import attacks

    try:
        epsilons = sorted(float(epsilon) for epsilon in _EPSILONS.value)
    except ValueError:
        common.sys.exit(f"--epsilons are numbers. Received: {_EPSILONS.value}")
    if not epsilons or not all(0 <= epsilon <= 1 for epsilon in epsilons):
        common.sys.exit(f"--epsilons lie in [0, 1]. Received: {_EPSILONS.value}")
    run, classifier = mixture_vae.train_selective()
    images, num_images = run.images, _IMAGES.value
    strongest = {"steps": _STEPS.value, "restarts": _RESTARTS.value}
    if common.FLAGS.smoke:
        num_images, epsilons = min(20, num_images), epsilons[-1:]
        strongest = {"steps": 3, "restarts": 1}
    x, y = images.x_test[:num_images], images.y_test[:num_images]
    other = common.judge(run)
    log_odds = attacks.log_odds_loss(run.model.classify, from_logits=True)
    rows, shown = [], None
    for epsilon in epsilons:
        attempts = attacks_on(run.model, classifier, other, x, y, epsilon, **strongest)
        for name, attacked in attempts:
            found = classifier.evaluate(attacked, y)
            odds = ops.convert_to_numpy(log_odds(attacked, y))
            found["log_odds"] = float(odds.mean())
            rows.append({"attack": name, "epsilon": epsilon, **found})
            if name == "fgsm":
                shown = attacked
            print(f"{name} {epsilon}: undetected {found['undetected']:.2f} %")
    noise = np.random.default_rng(common.FLAGS.seed).random(x.shape, "float32")
    fooling = attacks.pgd(
        None,
        noise,
        np.arange(len(x)) % images.num_classes,
        epsilon=1.0,
        **{**strongest, "restarts": 1},
        loss=lambda x, y: -log_odds(x, y),
    )
    again = classifier.reclassify(shown)
    clean = classifier.evaluate(images.x_test, images.y_test)
    results = {
        **summary(rows),
        "reclassified_right": 100.0 * float((again.label == y).mean()),
        "noise_accepted": 100.0 * float(classifier.predict(noise).accepted.mean()),
        "fooling_accepted": 100.0 * float(classifier.predict(fooling).accepted.mean()),
        **{f"clean_{key}": value for key, value in clean.items()},
    }
    run.results.update(attacks=rows, attacked_images=len(x), **strongest)
    run.results["step_sizes"] = STEP_SIZES
    curves = {
        name: (epsilons, [r["undetected"] for r in rows if r["attack"] == name])
        for name in dict.fromkeys(row["attack"] for row in rows)
    }
    strips = [x[:NUM_SHOWN] / 255.0, shown[:NUM_SHOWN]]
    strips += [run.model.reconstruct(strip) for strip in strips]
    common.finish(
        run,
        results,
        {
            "undetected": plotting.lines(curves, "epsilon", "accepted and wrong (%)"),
            "images": plotting.image_grid(
                np.stack(strips),
                "Clean, attacked by FGSM, and the reconstructions of both",
            ),
        },
    )


def summary(rows):
    """The worst of the rows, and what would speak for masked gradients."""
    import numpy as np

    largest = max(row["epsilon"] for row in rows)

    def of(names, key="undetected", last=False):
        return [
            row[key]
            for row in rows
            if row["attack"] in names and (row["epsilon"] == largest or not last)
        ]

    on_class = ("fgsm", "bim", "mim", "pgd")
    pairs = zip(of(["transfer"], "error"), of(["pgd"], "error"))
    return {
        "fgsm_undetected": max(of(["fgsm"])),  # at the worst epsilon
        "iterated_undetected": max(of(on_class[1:], last=True)),  # at the largest
        "aware_undetected": max(of(["aware"], last=True)),
        "transfer_is_stronger": any(other > own for other, own in pairs),
        "loss_does_not_grow": [
            name for name in on_class if np.any(np.diff(of([name], "log_odds")) <= 0)
        ],
    }


def attacks_on(model, classifier, other, x, y, epsilon, steps, restarts):
    """Yields the name of each attack and the images that it makes."""
    from keras_saae.evaluation import attacks, evasion_loss

    def strongest(steps):
        sizes = [size * epsilon / steps for size in STEP_SIZES if epsilon]
        return {"steps": steps, "restarts": restarts, "step_size": sizes or None}

    on_class = (model.classify, x, y, epsilon)
    few, many = strongest(min(steps, 10)), strongest(steps)
    yield "fgsm", attacks.fgsm(*on_class, from_logits=True)
    yield "bim", attacks.bim(*on_class, **few, from_logits=True)
    yield "mim", attacks.mim(*on_class, **few, from_logits=True)
    yield "pgd", attacks.pgd(*on_class, **many, from_logits=True)
    yield "transfer", attacks.pgd(other, x, y, epsilon, **many)
    aware = evasion_loss(classifier)
    yield "aware", attacks.pgd(model, x, y, epsilon, **many, loss=aware)


if __name__ == "__main__":
    common.start(main)
