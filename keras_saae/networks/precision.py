"""What a network computes in, and what follows from it."""


def vat_probe(network):
    """Step of VAT's finite difference: in bfloat16 a short one is lost to rounding.

    See `losses.virtual_adversarial_loss`.
    """
    return 2.0 if _dtypes(network) & {"bfloat16", "float16"} else 0.1


def _dtypes(layer):
    """What a network computes in; the innermost layers know.

    A model loaded from a file takes the policy of the day, its layers keep theirs.
    """
    inner = getattr(layer, "layers", [])
    return set().union(*map(_dtypes, inner)) if inner else {layer.compute_dtype}
