"""What the default encoder is worth on real photographs: neighbours, and picks."""

import io
import pathlib
import tarfile
import zlib

import numpy as np
import pytest

import jaxsel
from jaxsel.evaluation.statistics import estimate, interval_half_width
from jaxsel.features.representation import represent
from jaxsel.files import read_json

A_CLASS = 100
NEIGHBOURS = 20


@pytest.fixture(scope="module")
def photographs(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[pathlib.Path, np.ndarray]:
    """1,000 test images of CIFAR-10 as files, 100 per class, and their classes."""
    packed = pathlib.Path(__file__).resolve().parents[3] / "shared/data"
    if not (packed / "cifar10-jpeg.tar.xz").is_file():
        pytest.skip("the folder ../shared is not there")
    folder = tmp_path_factory.mktemp("cifar")
    classes: dict[str, str] = {}
    count: dict[str, int] = {}
    with tarfile.open(packed / "cifar10-jpeg.tar.xz") as tar:
        for member in tar:
            split, _, rest = member.name.partition("/")
            name = rest.partition("/")[0]
            if not member.isfile() or not split.startswith("test"):
                continue
            if count.get(name, 0) < A_CLASS:
                count[name] = count.get(name, 0) + 1
                data = tar.extractfile(member)
                assert isinstance(data, io.BufferedIOBase)
                # Mixed, so that no order and no folder tells the class.
                flat = f"{zlib.crc32(member.name.encode()):08x}.jpg"
                (folder / flat).write_bytes(data.read())
                classes[flat] = name
    assert len(classes) == 1000
    names = sorted(set(classes.values()))
    return folder, np.array([names.index(classes[name]) for name in sorted(classes)])


@pytest.mark.slow
@pytest.mark.shared
def test_neighbours_share_their_class(photographs) -> None:
    folder, classes = photographs
    found = jaxsel.embed(folder)
    assert found.features.shape == (1000, 1280)
    rows = represent(np.asarray(found.features), "components")
    apart = ((rows[:, None] - rows) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    neighbours = classes[np.argsort(apart, axis=1)[:, :NEIGHBOURS]]
    votes = np.apply_along_axis(np.bincount, 1, neighbours, minlength=10)
    accuracy = np.mean(np.argmax(votes, axis=1) == classes)
    print(f"leave-one-out {NEIGHBOURS}-NN accuracy {100 * accuracy:.1f} %")
    assert accuracy >= 0.62


@pytest.mark.slow
@pytest.mark.shared
def test_twenty_default_picks_beat_twenty_random_ones(photographs, tmp_path) -> None:
    """Over 10 sub-pools of 500 images, tested on the other 500; 95 % interval."""
    from sklearn.linear_model import LogisticRegression

    folder, classes = photographs
    features = np.asarray(jaxsel.embed(folder).features)
    rows = represent(features, "components")
    rows = rows / rows.std()
    files = sorted(path.name for path in folder.iterdir())
    gaps = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        order = rng.permutation(1000)
        pool, rest = order[:500], order[500:]
        place = tmp_path / f"pool{seed}"
        place.mkdir()
        for row in pool:
            (place / files[row]).symlink_to(folder / files[row])
        done = jaxsel.select_round(place, 20, out=tmp_path / f"r{seed}", seed=seed)
        told = read_json(tmp_path / f"r{seed}" / "manifest.json")
        assert told["encoder"]["encoder"] == "efficientnet_lite0"
        picked = [files.index(pick.id) for pick in done.picks]
        accuracy = []
        for chosen in (picked, rng.choice(pool, 20, replace=False)):
            model = LogisticRegression(max_iter=1000).fit(rows[chosen], classes[chosen])
            accuracy.append(model.score(rows[rest], classes[rest]))
        gaps.append(accuracy[0] - accuracy[1])
    result = estimate(gaps)
    half = interval_half_width(result)
    print(f"20 default picks: {100 * result.mean:+.1f} ± {100 * half:.1f} points")
    assert result.mean - half > 0
