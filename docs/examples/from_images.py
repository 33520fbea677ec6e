"""From a folder of images to the annotation queue, back, and on.

    python docs/examples/from_images.py

Each step names the command that does the same. The images are 500 of scikit-learn's
digits, and the annotator is a loop below: your own folder and tool stand in their
places.
"""

import json
import pathlib
import tempfile

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

import jaxsel

work = pathlib.Path(tempfile.mkdtemp())
digits = load_digits()

# A folder of images, of which nobody knows what they show.
scans = work / "scans"
truth = {}
for row in range(500):
    name = f"box-{row // 200}/{row:04d}.png"
    (scans / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((digits.images[row] * 15).astype(np.uint8)).save(scans / name)
    truth[name] = str(digits.target[row])
(scans / "box-0" / "torn.png").write_bytes(b"not an image")

# jaxsel doctor scans/
source = jaxsel.open_source(scans)
print(f"{len(source.ids):,} images; left out: {source.unreadable[0]}")

# jaxsel embed scans/ -o features.parquet: for programs of your own. Left out, jaxsel
# select does the same, by EfficientNet-Lite0, which has learned ImageNet's classes.
features = jaxsel.embed(scans).features
print(f"{features.shape[1]:,} features an image")

# jaxsel select scans/ -b 30 -m max_herding -o round1
first = jaxsel.select_round(scans, 30, "max_herding", out=work / "round1")
print(f"\n{len(first.picks)} picks, the first three of them:")
for pick in first.picks[:3]:
    print(f"  {pick.rank}. {pick.id}, nearest for {pick.represents} images")

# jaxsel export round1 --to label-studio --prefix https://host/scans/ -o queue
prefix = "https://host/scans/"
queue = jaxsel.export_round(
    work / "round1", "label-studio", work / "queue", prefix=prefix
)
tasks = json.loads(queue.files[0].read_text())
print(f"\n{len(tasks)} tasks for Label Studio, the first: {tasks[0]['data']['image']}")

# The annotator labels all of them but two, which cannot be read.
for number, task in enumerate(tasks):
    skipped = number in (4, 11)
    answer = {
        "from_name": "digit",
        "type": "choices",
        "value": {"choices": [truth[task["data"]["jaxsel_id"]]]},
    }
    result = [] if skipped else [answer]
    task["annotations"] = [{"was_cancelled": skipped, "result": result}]
(work / "project.json").write_text(json.dumps(tasks))

# jaxsel import project.json --from label-studio --picks round1 -o labels.csv
labels = jaxsel.import_round(
    work / "project.json", "label-studio", work / "round1", work / "labels.csv"
)
unusable = [row.id for row in labels if row.label == "unusable"]
print(f"{len(labels) - len(unusable)} labels came back; unusable: {unusable}")

# jaxsel backfill round1 --labels labels.csv -o round1b
filled = jaxsel.backfill_round(work / "round1", work / "labels.csv", work / "round1b")
assert filled is not None  # there were unusable ones
print(f"picked in their place: {[pick.id for pick in filled.picks[-filled.added :]]}")

# jaxsel select scans/ -b 50 --continue round1b --labelled labels.csv -o round2
second = jaxsel.select_round(
    scans,
    50,
    out=work / "round2",
    earlier=work / "round1b",
    labelled=work / "labels.csv",
)
kept = len(second.picks) - second.added - len(unusable)
print(f"\n50 in all: {kept} kept, {second.added} more; {work / 'round2'} has them")
