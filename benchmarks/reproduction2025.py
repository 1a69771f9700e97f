"""The step of the 2025 reproduction, as it is structured, in plain PyTorch.

Two reconstructions, of unlabelled and of labelled images; class and style have
adversarial updates of their own; six optimizers; each batch is put together from single
images by a data loader. Its mathematics differ from the paper's, so its losses are
compared with nobody's: only the time of its step is.
"""

import torch
from plain_torch import RATES, mlp, weights
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

NOISE = 0.3


class Reproduction2025:
    """The model, its data loaders and its step.

    Args:
        x, y: uint8 images and labels; -1 where there is none.
        hidden, num_classes, z_dim: sizes.
        batch_size, labelled_batch_size: images per step.
        device: where the networks are; images go there batch by batch.
    """

    def __init__(
        self,
        x,
        y,
        hidden,
        batch_size,
        labelled_batch_size,
        z_dim=10,
        device="cpu",
    ):
        self.device = torch.device(device)
        x = torch.tensor(x).flatten(1) / 255.0
        y = torch.tensor(y)
        self.num_classes, self.z_dim = int(y.max()) + 1, z_dim
        pixels = x.shape[1]
        self.encoder = nn.Sequential(mlp(pixels, *hidden), nn.ReLU())
        self.y_head = mlp(hidden[-1], self.num_classes)
        self.z_head = mlp(hidden[-1], z_dim)
        self.decoder = mlp(self.num_classes + z_dim, *hidden[::-1], pixels)
        self.decoder.append(nn.Sigmoid())
        self.on_y = nn.Sequential(mlp(self.num_classes, *hidden, 1), nn.Sigmoid())
        self.on_z = nn.Sequential(mlp(z_dim, *hidden, 1), nn.Sigmoid())
        for network in (
            *(self.encoder, self.y_head, self.z_head),
            *(self.decoder, self.on_y, self.on_z),
        ):
            network.to(self.device)
        codes = weights(self.encoder, self.y_head, self.z_head)
        self.optimizers = {
            name: torch.optim.SGD(updated, *RATES[phase])
            for name, phase, updated in (
                ("reconstruction", "reconstruction", codes + weights(self.decoder)),
                ("discriminator_y", "discriminator", weights(self.on_y)),
                ("discriminator_z", "discriminator", weights(self.on_z)),
                ("generator_y", "generator", weights(self.encoder, self.y_head)),
                ("generator_z", "generator", weights(self.encoder, self.z_head)),
                (
                    *("classification", "classification"),
                    weights(self.encoder, self.y_head),
                ),
            )
        }
        self.batches = _forever(
            DataLoader(TensorDataset(x), batch_size, shuffle=True, drop_last=True)
        )
        labelled = TensorDataset(x[y >= 0], y[y >= 0])
        size = min(labelled_batch_size, len(labelled))
        self.labelled_batches = _forever(DataLoader(labelled, size, shuffle=True))

    def step(self):
        """Loads both batches and makes the six updates; returns their losses."""
        x, x_labelled, y_labelled = (
            part.to(self.device)
            for part in (*next(self.batches), *next(self.labelled_batches))
        )
        noisy, noisy_labelled = _noisy(x), _noisy(x_labelled)

        x_again = self.decoder(torch.cat(self.encode(noisy), 1))
        labelled_again = self.decoder(torch.cat(self.encode(noisy_labelled), 1))
        losses = [F.mse_loss(x_again, x) + F.mse_loss(labelled_again, x_labelled)]
        self.update("reconstruction", losses[-1])

        n = len(x)
        classes = torch.randint(self.num_classes, (n,), device=self.device)
        prior_y = F.one_hot(classes, self.num_classes)
        prior_z = torch.randn(n, self.z_dim, device=self.device)
        for i, (name, network, prior) in enumerate(
            (("y", self.on_y, prior_y.float()), ("z", self.on_z, prior_z))
        ):
            code = self.encode(noisy)[i].detach()
            losses.append(_says(network(prior), 1.0) + _says(network(code), 0.0))
            self.update(f"discriminator_{name}", losses[-1])
            losses.append(_says(network(self.encode(noisy)[i]), 1.0))
            self.update(f"generator_{name}", losses[-1])

        y_logits = self.y_head(self.encoder(noisy_labelled))
        losses.append(F.cross_entropy(y_logits, y_labelled))
        self.update("classification", losses[-1])
        return [loss.item() for loss in losses]

    def encode(self, x):
        features = self.encoder(x)
        return self.y_head(features).softmax(1), self.z_head(features)

    def update(self, name, loss):
        for optimizer in self.optimizers.values():
            optimizer.zero_grad()
        loss.backward()
        self.optimizers[name].step()


def _noisy(x):
    return x + NOISE * torch.randn_like(x)


def _says(probability, truth):
    return F.binary_cross_entropy(probability, torch.full_like(probability, truth))


def _forever(loader):
    while True:
        yield from loader
