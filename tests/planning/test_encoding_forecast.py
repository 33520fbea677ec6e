"""What encoding would take, on machines that are only numbers."""

import pytest

from jaxsel.models.efficientnet import LITE0
from jaxsel.planning.encoding import Sample, forecast_encoding, network_of
from jaxsel.planning.machine import Machine
from jaxsel.verbs.encoding import SIDES

HERE = Machine(8 << 30, 1e11, 1e10, 4, "cpu")


def predict(sample: Sample, missing: int = 1_600, here: Machine = HERE, batch=16):
    return forecast_encoding(
        sample,
        lambda side: network_of("efficientnet_lite0", side),
        missing=missing,
        images=2_000,
        features=1_280,
        batch=batch,
        machine=here,
    )


def test_operations_of_efficientnet_are_those_of_its_layers() -> None:
    side, channels, products, numbers = 112, 32, 27 * 32 * 112**2, 27 * 32 + 32
    for stage in LITE0:
        for block in range(stage.blocks):
            wide = stage.expansion * channels
            if stage.expansion > 1:
                products += channels * wide * side**2
                numbers += channels * wide + wide
            side //= stage.stride if block == 0 else 1
            products += (stage.size**2 * wide + wide * stage.channels) * side**2
            numbers += (stage.size**2 + 1 + stage.channels) * wide + stage.channels
            channels = stage.channels
    products += channels * 1280 * side**2
    numbers += (channels + 1) * 1280
    one = network_of("efficientnet_lite0", 224)
    assert one.flops == pytest.approx(2 * products, rel=0.01)
    assert one.weights == pytest.approx(4 * numbers, rel=0.05)


@pytest.mark.parametrize(("stem", "first"), [("cifar", 32), ("reference", 16)])
def test_operations_of_a_resnet_are_those_of_its_layers(stem: str, first: int) -> None:
    width, side = 32, first
    products, channels = 27 * width * 32**2, width
    for stage in range(4):
        wide = width * 2**stage
        if stage:
            side //= 2
            products += channels * wide * side**2  # the shortcut
        products += (9 * channels * wide + 3 * 9 * wide**2) * side**2
        channels = wide
    one = network_of("random_resnet18", 32, width=width, stem=stem)
    assert one.flops == pytest.approx(2 * products, rel=1e-6)


def test_the_mix_of_sizes_by_hand() -> None:
    # 1,200 images at 96 and 400 at 224, which are whole batches of 16.
    found = predict(Sample((96, 224, 96, 96), 0.004, 1_000_000, 0))
    flops = 1_200 * 768e6 * (96 / 224) ** 2 + 400 * 768e6
    assert found.network_seconds == pytest.approx(flops / (0.36 * 1e11))
    assert found.decode_seconds == pytest.approx(1_600 * 0.004 / 4)
    both = found.network_seconds + found.decode_seconds
    assert found.seconds == pytest.approx(both + 2 * 2.7)  # two sizes to compile
    parts = dict(found.parts)
    assert sum(parts.values()) == found.peak_bytes
    assert parts["features"] == 2_000 * 1_280 * 4
    assert parts["decoded images"] == 6 * 16 * 224 * 224 * 3
    assert parts["images being decoded"] == 4_000_000


def test_a_last_batch_is_padded_and_an_accelerator_works_beside_the_cores() -> None:
    sample = Sample((224,), 0.004, 0, 0)
    one, whole, more = (predict(sample, n).network_seconds for n in (1, 16, 17))
    assert one == whole and more == 2 * whole
    gpu = predict(sample, here=HERE._replace(device="gpu"))
    longer = max(gpu.network_seconds, gpu.decode_seconds)
    assert gpu.seconds == pytest.approx(longer + 2.7)


def test_every_encoder_of_images_is_known() -> None:
    for name, side in SIDES.items():
        one = network_of(name, side or 96)
        assert one.flops > 0 and 0 < one.share < 1
    with pytest.raises(ValueError, match="no operations"):
        network_of("another", 32)
