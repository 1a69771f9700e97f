"""What differs between TensorFlow, JAX and PyTorch, and nothing else.

Each backend module defines the same six names:

- `value_and_grad(loss_fn, variables, state)`: a loss and its gradients.
- `input_gradient(fn, x)`: the gradient of a scalar with respect to its input, for
  adversarial perturbations and, differentiated again, gradient penalties.
- `compiled(fn)`: a function of tensors that is called many times, made fast.
- `fuse(optimizer)`: an optimizer's update in one pass, where it can be had.
- `step_of_many(model)`: a training step of several models in one call.
- `StepAdapter`: a mix-in that hands Keras' `train_step` and `test_step` to the
  model's `run_phases` and `run_evaluation`, which exist once for all backends. Its
  `runs_several_steps` says whether one call can make several steps, `shares_passes`
  whether a phase can take gradients through what an earlier phase computed.
"""

import contextlib

import keras

if keras.backend.backend() == "tensorflow":
    from keras_saae.backend.tensorflow import (
        StepAdapter,
        compiled,
        fuse,
        input_gradient,
        step_of_many,
        value_and_grad,
    )
elif keras.backend.backend() == "jax":
    from keras_saae.backend.jax import (
        StepAdapter,
        compiled,
        fuse,
        input_gradient,
        step_of_many,
        value_and_grad,
    )
elif keras.backend.backend() == "torch":
    from keras_saae.backend.torch import (
        StepAdapter,
        compiled,
        fuse,
        input_gradient,
        step_of_many,
        value_and_grad,
    )
else:
    raise ImportError(
        "keras_saae trains on the Keras backends tensorflow, jax and torch. "
        f"Received KERAS_BACKEND={keras.backend.backend()!r}. "
        "Set the environment variable KERAS_BACKEND before Python starts."
    )


def keep_tensorflow_off_gpu():
    """Hides GPUs from TensorFlow where it only reads data, lest it take their memory.

    Does nothing on the TensorFlow backend, or once TensorFlow is in use.
    """
    if keras.backend.backend() != "tensorflow":
        import tensorflow as tf

        with contextlib.suppress(RuntimeError):
            tf.config.set_visible_devices([], "GPU")


__all__ = [
    "StepAdapter",
    "compiled",
    "fuse",
    "input_gradient",
    "keep_tensorflow_off_gpu",
    "step_of_many",
    "value_and_grad",
]
