"""Trains the network on drawn windows.

Invariant: seeded, one thread: the same seed on the same machine and versions gives the same weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scripts.blobs.kinds import KIND_OF_FIGURE
from scripts.blobs.net import BlobNet
from scripts.blobs.windows import Windows

_BATCH = 128
_RATE = 4e-3
_DECAY = 0.02
_SMOOTHING = 0.05
_SHIFT = 2


@dataclass(frozen=True, slots=True)
class Epoch:
    number: int
    loss: float


def train(net: BlobNet, windows: Windows, epochs: int, seed: int) -> Iterator[Epoch]:
    """Trains `net` in place, an epoch at a time."""
    rng = np.random.default_rng([seed, 1])
    inputs = torch.from_numpy(windows.windows)
    figures = torch.from_numpy(windows.figures)
    kinds = torch.tensor(KIND_OF_FIGURE)[figures]
    steps = len(figures) // _BATCH
    optimizer = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps * epochs, pct_start=0.2)
    net.train()
    for number in range(1, epochs + 1):
        order = torch.from_numpy(rng.permutation(len(figures)))
        total = 0.0
        for step in range(steps):
            chosen = order[step * _BATCH : (step + 1) * _BATCH]
            # half precision costs nothing here and half the time
            with torch.autocast("cpu", torch.bfloat16):
                _, kind_scores, figure_scores = net(_varied(inputs[chosen].float(), rng))
            loss = functional.cross_entropy(figure_scores.float(), figures[chosen], label_smoothing=_SMOOTHING)
            loss = loss + functional.cross_entropy(kind_scores.float(), kinds[chosen], label_smoothing=_SMOOTHING)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        yield Epoch(number, total / steps)


def _varied(windows: Tensor, rng: np.random.Generator) -> Tensor:
    """The same windows moved by a few pixels, mirrored, and with other noise: each epoch sees others."""
    across, down = (int(shift) for shift in rng.integers(-_SHIFT, _SHIFT + 1, 2))
    padded = functional.pad(windows, (_SHIFT, _SHIFT, _SHIFT, _SHIFT), mode="replicate")
    rows, columns = windows.shape[2:]
    windows = padded[:, :, _SHIFT + down : _SHIFT + down + rows, _SHIFT + across : _SHIFT + across + columns].clone()
    mirrored = torch.from_numpy(rng.random(len(windows)) < 0.5)
    windows[mirrored] = windows[mirrored].flip(3)
    negative = torch.from_numpy(rng.random(len(windows)) < 0.2)
    windows[negative, 0] *= -1
    noise = torch.from_numpy(rng.standard_normal((len(windows), rows, columns), np.float32))
    windows[:, 0] += noise * float(rng.uniform(0, 0.25))
    return windows


def describe(net: BlobNet, windows: Windows) -> tuple[Tensor, Tensor]:
    """Embeddings and shares of kinds."""
    net.eval()
    with torch.no_grad():
        parts = [net(batch.float()) for batch in torch.from_numpy(windows.windows).split(512)]
    embeddings = torch.cat([part[0] for part in parts])
    return embeddings, functional.softmax(torch.cat([part[1] for part in parts]), dim=1)
