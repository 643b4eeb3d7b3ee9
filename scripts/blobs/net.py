"""The network: five small convolutions, an embedding of unit length, and the kinds read from it.

Invariant: what is trained and what is exported are the same function; the heads that only training needs stay here.

The embedding is trained as a cosine classifier over figures (F. Wang et al., NormFace, 2017), so that distances between
embeddings are what separates figures.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from scripts.blobs.kinds import FIGURES, KINDS
from scripts.blobs.window import COLUMNS, ROWS

EMBEDDING = 32
# inputs, outputs, side of the kernel, stride; each is followed by a ReLU
CONVOLUTIONS = ((2, 16, 5, 2), (16, 32, 3, 2), (32, 40, 3, 1), (40, 56, 3, 2), (56, 24, 1, 1))
_FLAT = CONVOLUTIONS[-1][1] * (ROWS // 8) * (COLUMNS // 8)
_SHARPNESS = 14.0


class BlobNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, side, stride, side // 2, bias=False)
            for inputs, outputs, side, stride in CONVOLUTIONS
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(outputs) for _, outputs, _, _ in CONVOLUTIONS)
        self.project = nn.Linear(_FLAT, EMBEDDING)
        self.kinds = nn.Linear(EMBEDDING, len(KINDS))
        self.figures = nn.Parameter(torch.randn(len(FIGURES), EMBEDDING))

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Embeddings (n, EMBEDDING), and the unscaled log shares of kinds and of figures."""
        hidden = windows
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            hidden = functional.relu(norm(convolution(hidden)))
        embedding = functional.normalize(
            self.project(functional.dropout(hidden.flatten(1), 0.1, self.training)).float()
        )
        cosines = embedding @ functional.normalize(self.figures).T
        return embedding, self.kinds(embedding), cosines * _SHARPNESS
