"""Images a second of the default encoder: `python -m benchmarks.embedding`.

JPEG files are generated in a folder: `--small` of 32 pixels, which are read at 96, and
`--large` of 500 × 375, which are read at 224. Each folder is embedded in a process of
its own, files and all, after a small one that compiles; then the network alone, on
arrays; then the same network in PyTorch, where it is installed, in another process of
the same run, by batches of 16 and 64. CPU-seconds stand beside seconds: on a machine
with other work they say more.

At last `jaxsel.embed` is called again on the unchanged folder, beside opening the same
features as an `.npy`. Writes JSON, prints a table.
"""

import argparse
import pathlib
import sys
import tempfile
from typing import Any

import numpy as np

from benchmarks import machine, process, record
from benchmarks.embedding_worker import NETWORKS

OUT = pathlib.Path(__file__).parent / "results" / "embedding"
SIDES = {"small": (32, 32), "large": (500, 375)}
READ_AT = {"small": 96, "large": 224}
TIMEOUT = 1800.0


def write_images(folder: pathlib.Path, count: int, size: tuple[int, int]) -> None:
    """Smooth coloured patterns with some noise, so that they weigh what photos do."""
    from PIL import Image

    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for number in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
        smooth = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), np.float32)
        noisy = smooth + rng.normal(scale=8, size=smooth.shape)
        image = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
        image.save(folder / f"{number:06}.jpg", quality=90)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=4000, help="images of 32 pixels")
    parser.add_argument("--large", type=int, default=400, help="images of 500 × 375")
    parser.add_argument("--folder", type=pathlib.Path, help="where files are written")
    parser.add_argument("--only", action="append", help="kinds that begin so")
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    parser.add_argument("--force", action="store_true", help="overwrite results")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    described = machine.describe_in_subprocess()
    target = record.target(options, described)
    report: dict[str, Any] = {
        "command": " ".join(["python -m benchmarks.embedding", *sys.argv[1:]]),
        "machine": described,
        "cases": [],
    }
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        root = pathlib.Path(name)
        for kind, size in SIDES.items():
            if options.only and not kind.startswith(tuple(options.only)):
                continue
            count = getattr(options, kind)
            write_images(root / kind, count, size)
            write_images(root / f"{kind}-warm", 20, size)
            question = {
                "folder": str(root / kind),
                "warm": str(root / f"{kind}-warm"),
                "cache": str(root / "cache"),
                "side": READ_AT[kind],
                "images": count,
            }
            for network in NETWORKS:
                asked = {**question, "network": network}
                found = process.ask(
                    sys.executable, "benchmarks.embedding_worker", asked, root, TIMEOUT
                )
                report["cases"].append({"kind": kind, "network": network, **found})
                record.write(target, report)
                print(line(report["cases"][-1]), flush=True)


def line(case: dict[str, Any]) -> str:
    """A case in a line."""
    start = f"{case['kind']:6} {case['network']:12}"
    if "error" in case:
        return f"{start} {case['error']}"
    rate, cpu = case["images_per_second"], case["cpu_milliseconds"]
    text = f"{start} {rate:7.0f} images/s  {cpu:6.2f} CPU-ms an image"
    if "again" in case:
        again, file = case["again"]["seconds"], case["as_a_file"]["seconds"]
        text += f"  again {again:.2f} s, features as a file {file:.2f} s"
    return f"{text}  {case['resident_mib']:.0f} MiB"


if __name__ == "__main__":
    main()
