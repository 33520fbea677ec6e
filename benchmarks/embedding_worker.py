"""One network over a folder or over arrays, for `benchmarks.embedding`."""

import os
import pathlib
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import process

# Files and all; the network alone; PyTorch's, by two sizes of batch.
NETWORKS = ("folder", "arrays", "torch-16", "torch-64")
SECONDS = 20.0  # that arrays are encoded for at the most
BATCH = 16


def measure(question: dict[str, Any]) -> dict[str, Any]:
    """Images a second and CPU-milliseconds an image."""
    network = question["network"]
    if network == "folder":
        found = of_folder(question)
    elif network == "arrays":
        found = of_arrays(question["side"], ours(question["side"]), BATCH)
    else:
        batch = int(network.removeprefix("torch-"))
        found = of_arrays(question["side"], torchs(), batch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**found, "resident_mib": peak}


def timed(call: Callable[[], Any]) -> dict[str, float]:
    """Seconds and CPU-seconds of a call."""
    began, spent = time.perf_counter(), time.process_time()
    call()
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - spent,
    }


def rates(times: dict[str, float], images: int) -> dict[str, float]:
    """Images per second of a call, and CPU-seconds per image."""
    return {
        "images": images,
        "images_per_second": images / times["seconds"],
        "cpu_milliseconds": 1e3 * times["cpu_seconds"] / images,
    }


def of_folder(question: dict[str, Any]) -> dict[str, Any]:
    """`jaxsel.embed` of files, then of the same folder again; the rows as a file."""
    os.environ["JAXSEL_CACHE"] = question["cache"]
    import jaxsel

    jaxsel.embed(question["warm"])
    found: dict[str, Any] = rates(
        timed(lambda: jaxsel.embed(question["folder"])), question["images"]
    )
    rows: list[np.ndarray] = []
    found["again"] = timed(
        lambda: rows.append(np.array(jaxsel.embed(question["folder"]).features))
    )
    file = pathlib.Path(question["cache"]) / "rows.npy"
    np.save(file, rows[0])
    found["as_a_file"] = timed(lambda: jaxsel.open_source(file).features.sum())
    found["d"] = rows[0].shape[1]
    return found


def of_arrays(
    side: int, encode: Callable[[np.ndarray], Any], batch: int
) -> dict[str, Any]:
    """The network alone, on one batch again and again."""
    shape = (batch, side, side, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    encode(images)
    began, spent, count = time.perf_counter(), time.process_time(), 0
    while count < batch or time.perf_counter() - began < SECONDS:
        encode(images)
        count += batch
    times = {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - spent,
    }
    return rates(times, count)


def ours(side: int) -> Callable[[np.ndarray], Any]:
    """EfficientNet-Lite0 as `jaxsel.embed` calls it."""
    from jaxsel.features.efficientnet import efficientnet_lite0

    encoder = efficientnet_lite0(framed=True)
    return lambda images: np.asarray(encoder.encode(images))


def torchs() -> Callable[[np.ndarray], Any]:
    """The same network with the same folded weights in PyTorch, on all cores."""
    import torch

    from jaxsel.features.efficientnet_weights import lite0_weights
    from jaxsel.models.efficientnet import LITE0

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    tree = lite0_weights()

    def layer(x: Any, weights: Any, stride: int, last: bool = False) -> Any:
        kernel = torch.from_numpy(weights["kernel"])
        grouped = kernel.ndim == 3
        kernel = kernel[:, :, None] if grouped else kernel
        size, sides = kernel.shape[0], []
        for length in (x.shape[3], x.shape[2]):
            zeros = max((-(-length // stride) - 1) * stride + size - length, 0)
            sides += [zeros // 2, zeros - zeros // 2]
        x = torch.nn.functional.pad(x, sides)
        y = torch.nn.functional.conv2d(
            x,
            kernel.permute(3, 2, 0, 1).contiguous(),
            torch.from_numpy(weights["bias"]),
            stride=stride,
            groups=x.shape[1] if grouped else 1,
        )
        return y if last else torch.clamp(y, 0, 6)

    def encode(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            x = torch.from_numpy(images).permute(0, 3, 1, 2).float()
            x = layer((x - 127) / 128, tree["stem"], 2)
            number = 0
            for stage in LITE0:
                for place in range(stage.blocks):
                    number += 1
                    block, y = tree[f"block{number}"], x
                    if "expand" in block:
                        y = layer(y, block["expand"], 1)
                    y = layer(y, block["depthwise"], stage.stride if not place else 1)
                    y = layer(y, block["project"], 1, last=True)
                    x = x + y if x.shape == y.shape else y
            return layer(x, tree["head"], 1).mean((2, 3)).numpy()

    return encode


if __name__ == "__main__":
    process.answer(measure)
