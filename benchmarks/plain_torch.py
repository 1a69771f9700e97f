"""The paper's four phases by hand, in plain PyTorch: what the package is held against.

It is the loop that a good programmer would write for this one model: codes are encoded
once for discriminator and generator, and gradients are taken by the weights that a
phase updates, no others. A test compares its losses with the package's.
"""

import itertools

import torch
from torch import nn
from torch.nn import functional as F

RATES = {  # learning rate, momentum: appendix A.2.1 of the paper
    "reconstruction": (0.01, 0.9),
    "discriminator": (0.1, 0.1),
    "generator": (0.1, 0.1),
    "classification": (0.1, 0.9),
}
NOISE = 0.3


def mlp(*widths):
    """Dense layers with ReLU between them, weights from N(0, 0.01^2)."""
    layers = [nn.Linear(a, b) for a, b in itertools.pairwise(widths)]
    for layer in layers:
        nn.init.normal_(layer.weight, std=0.01)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))[
        :-1
    ]


class PlainTorch:
    """The model and its step.

    Args:
        pixels, hidden, num_classes, z_dim: sizes; `hidden` are those of the encoder.
        bfloat16: whether matrix products are made in bfloat16.
        device: where it runs.
    """

    def __init__(
        self, pixels, hidden, num_classes=10, z_dim=10, bfloat16=False, device="cpu"
    ):
        self.trunk = nn.Sequential(mlp(pixels, *hidden), nn.ReLU())
        self.y_head, self.z_head = mlp(hidden[-1], num_classes), mlp(hidden[-1], z_dim)
        self.decoder = mlp(num_classes + z_dim, *hidden[::-1], pixels)
        self.on_z, self.on_y = mlp(z_dim, *hidden, 1), mlp(num_classes, *hidden, 1)
        self.num_classes, self.z_dim = num_classes, z_dim
        self.bfloat16, self.device = bfloat16, torch.device(device)
        # In the order of the package's weights.
        self.networks = (
            *(self.trunk, self.y_head, self.z_head),
            *(self.decoder, self.on_z, self.on_y),
        )
        for network in self.networks:
            network.to(self.device)
        codes = weights(self.trunk, self.y_head, self.z_head)
        self.updated_by = {
            "reconstruction": codes + weights(self.decoder),
            "discriminator": weights(self.on_z, self.on_y),
            "generator": codes,
            "classification": weights(self.trunk, self.y_head),
        }
        self.optimizers = {
            phase: torch.optim.SGD(self.updated_by[phase], *RATES[phase])
            for phase in RATES
        }

    def set_weights(self, arrays):
        """Takes kernels `(in, out)` and biases, in the package's order."""
        for weight, array in zip(weights(*self.networks), arrays, strict=True):
            weight.data = torch.tensor(array.T, device=self.device).contiguous()

    def draws(self, n, num_labelled):
        """What chance decides in a step: noise of both batches, prior z and y."""
        classes = torch.randint(self.num_classes, (n,), device=self.device)
        pixels = self.trunk[0][0].in_features
        return (
            NOISE * torch.randn(n, pixels, device=self.device),
            NOISE * torch.randn(num_labelled, pixels, device=self.device),
            torch.randn(n, self.z_dim, device=self.device),
            F.one_hot(classes, self.num_classes).float(),
        )

    def step(self, x, x_labelled, y_labelled, draws=None):
        """Updates all weights by a batch of uint8 images; returns the four losses."""
        x, x_labelled = x.flatten(1) / 255.0, x_labelled.flatten(1) / 255.0
        noise, noise_labelled, prior_z, prior_y = draws or self.draws(
            len(x), len(x_labelled)
        )
        noisy, noisy_labelled = x + noise, x_labelled + noise_labelled

        with self.autocast():
            y, z = self.encode(noisy)
            x_again = torch.sigmoid(self.decoder(torch.cat([y, z], 1)).float())
        reconstruction = 0.5 * (x - x_again).square().sum(1).mean()
        self.update("reconstruction", reconstruction)

        with self.autocast():
            y, z = self.encode(noisy)
            discriminator = sum(
                F.softplus(-network(prior)).mean()
                + F.softplus(network(code.detach())).mean()
                for network, prior, code in (
                    (self.on_z, prior_z, z),
                    (self.on_y, prior_y, y),
                )
            )
        self.update("discriminator", discriminator)

        with self.autocast():
            generator = (
                F.softplus(-self.on_z(z)).mean() + F.softplus(-self.on_y(y)).mean()
            )
        self.update("generator", generator)

        with self.autocast():
            y_logits = self.y_head(self.trunk(noisy_labelled)).float()
        classification = F.cross_entropy(y_logits, y_labelled.long())
        self.update("classification", classification)
        losses = (reconstruction, discriminator, generator, classification)
        return torch.stack(losses).detach()

    def encode(self, x):
        features = self.trunk(x)
        return self.y_head(features).float().softmax(1), self.z_head(features)

    def update(self, phase, loss):
        loss.backward(inputs=self.updated_by[phase])
        self.optimizers[phase].step()
        self.optimizers[phase].zero_grad()

    def autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16, self.bfloat16)


def weights(*networks):
    """All weights of some networks, in a list."""
    return [weight for network in networks for weight in network.parameters()]


def default_device():
    """A GPU where there is one, as Keras chooses."""
    return "cuda" if torch.cuda.is_available() else "cpu"
