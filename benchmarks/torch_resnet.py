"""The rival: ResNet-18 of framework (i) in PyTorch, eager, as people write it.

The same network, batch, loss and optimiser. Its images lie ready as normalised floats,
so that it is spared the crops and flips that are part of our step.
"""

import os
from typing import Any

import numpy as np

from benchmarks.work import Work

BLOCKS_PER_STAGE = 2


def prepare(
    *,
    width: int,
    stem: str,
    batch: int,
    steps: int,
    side: int = 32,
    classes: int = 10,
    channels_last: bool = False,
) -> Work:
    """`steps` updates on one batch, on the GPU that torch sees or on all cores.

    Args:
      width: channels of the first stage.
      stem: `"reference"` (3×3 convolution, max-pool) or `"cifar"` (no pool).
      batch: images a step.
      steps: updates a call.
      side: of the images.
      classes: outputs.
      channels_last: memory format of images and weights, PyTorch's other one.

    Returns:
      Work in `images`.
    """
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = network(width=width, stem=stem, classes=classes)
    model = model.to(device, memory_format=layout).train()
    rng = np.random.default_rng(0)
    pixels = rng.standard_normal((batch, 3, side, side), np.float32)
    x = torch.from_numpy(pixels).to(device, memory_format=layout)
    y = torch.from_numpy(rng.integers(0, classes, batch)).to(device)
    optimiser = torch.optim.SGD(
        model.parameters(), lr=0.025, momentum=0.9, weight_decay=3e-4, nesterov=True
    )

    def call() -> float:
        for _ in range(steps):
            optimiser.zero_grad(set_to_none=True)
            loss = torch.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimiser.step()
        if device == "cuda":
            torch.cuda.synchronize()
        return loss.item()

    notes = {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "parameters": sum(p.numel() for p in model.parameters()),
    }
    units = {"images": float(batch * steps)}
    return Work(call, units, 0.0, notes, lambda loss: {"final_train_loss": loss})


def network(*, width: int, stem: str, classes: int) -> Any:
    """ResNet-18 with a 3×3 stem and dropout before the last layer.

    Raises:
      ValueError: for an unknown stem.
    """
    from torch import nn

    if stem not in ("reference", "cifar"):
        raise ValueError(f"stem: expected reference or cifar, found {stem!r}")
    layers: list[nn.Module] = [*_convolved(3, width, 3, 1), nn.ReLU(inplace=True)]
    if stem == "reference":
        layers.append(nn.MaxPool2d(3, stride=2, padding=1))
    channels = width
    for stage in range(4):
        for number in range(BLOCKS_PER_STAGE):
            stride = 2 if stage > 0 and number == 0 else 1
            layers.append(_block(channels, width * 2**stage, stride))
            channels = width * 2**stage
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(channels, classes))


def _convolved(inputs: int, outputs: int, size: int, stride: int) -> list[Any]:
    """A convolution without bias and its normalisation."""
    from torch import nn

    convolution = nn.Conv2d(
        inputs, outputs, size, stride=stride, padding=size // 2, bias=False
    )
    return [convolution, nn.BatchNorm2d(outputs)]


def _block(inputs: int, outputs: int, stride: int) -> Any:
    """Two 3×3 convolutions beside a shortcut."""
    from torch import nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(
                *_convolved(inputs, outputs, 3, stride),
                nn.ReLU(inplace=True),
                *_convolved(outputs, outputs, 3, 1),
            )
            same = stride == 1 and inputs == outputs
            shortcut = [] if same else _convolved(inputs, outputs, 1, stride)
            self.shortcut = nn.Sequential(*shortcut)

        def forward(self, x: Any) -> Any:
            return nn.functional.relu(self.body(x) + self.shortcut(x), inplace=True)

    return Block()
