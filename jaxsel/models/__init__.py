"""Networks as Linen modules: images in, logits and embeddings out."""

from jaxsel.models.conv import LOWERINGS, Conv, convolve, default_lowering
from jaxsel.models.norm import BatchNorm
from jaxsel.models.resnet import STEMS, ResNet18
from jaxsel.models.vit import ViT
from jaxsel.models.wide_resnet import WideResNet

__all__ = [
    "LOWERINGS",
    "STEMS",
    "BatchNorm",
    "Conv",
    "ResNet18",
    "ViT",
    "WideResNet",
    "convolve",
    "default_lowering",
]
