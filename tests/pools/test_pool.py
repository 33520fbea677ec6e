"""Pools on disk: every format gives its rows, every damaged file is named."""

import os
import threading

import ml_dtypes
import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.pools import reading
from jaxsel.pools.opening import open_pool
from jaxsel.pools.shard import BFLOAT16

ROWS = np.random.default_rng(0).normal(size=(23, 5)).astype(np.float32) * 40


def shards(folder, dtype, *, parts=(9, 1, 13)):
    """ROWS in a type, in several files; what they hold in float32."""
    rows = ROWS.astype(dtype)
    for i, start in enumerate(np.cumsum((0, *parts[:-1]))):
        np.save(folder / f"part{i}.npy", rows[start : start + parts[i]])
    return str(folder / "part*.npy"), rows.astype(np.float32)


@pytest.mark.parametrize("dtype", ["float32", "float16", ml_dtypes.bfloat16, "int8"])
def test_blocks_and_rows_are_those_of_the_files(tmp_path, dtype):
    where, expected = shards(tmp_path, dtype)
    pool = open_pool(where)
    assert (pool.n, pool.d, pool.dtype) == (23, 5, np.dtype(dtype))
    found = [b.rows[: b.valid].astype(np.float32) for b in reading.blocks(pool, 4)]
    assert [len(part) for part in found] == [4, 4, 4, 4, 4, 3]
    assert np.array_equal(np.concatenate(found), expected)
    assert pool.bytes_read == 23 * 5 * np.dtype(dtype).itemsize
    wanted = [22, 0, 9, 9, 3, 10, 8]
    assert np.array_equal(pool.take(wanted).astype(np.float32), expected[wanted])


def test_rows_far_apart_and_near_are_read_alike(tmp_path):
    rows = np.arange(4000 * 8, dtype=np.float32).reshape(4000, 8)
    np.save(tmp_path / "x.npy", rows)
    pool = open_pool(tmp_path / "x.npy")
    wanted = np.random.default_rng(1).choice(4000, 300)
    assert np.array_equal(pool.take(wanted), rows[wanted])
    # Far less than the file, though near rows are read with what lies between.
    few = [5, 3990]
    before = pool.bytes_read
    assert np.array_equal(pool.take(few), rows[few])
    assert pool.bytes_read - before == 2 * 32


def test_other_numbers_are_read_as_float32(tmp_path):
    np.save(tmp_path / "x.npy", ROWS.astype(np.float64))
    pool = open_pool(tmp_path / "x.npy")
    assert pool.dtype == np.float32
    assert np.array_equal(pool.read(3, 20), ROWS[3:20])
    assert np.array_equal(pool.take([20, 3]), ROWS[[20, 3]])


def test_the_bits_of_bfloat16_are_told_by_the_manifest_or_by_hand(tmp_path):
    rows = ROWS.astype(BFLOAT16)
    np.save(tmp_path / "features.npy", rows.view(np.uint16))
    with pytest.raises(UserError, match=r"features.npy.*uint16"):
        open_pool(tmp_path)
    assert open_pool(tmp_path, dtype="bfloat16").dtype == BFLOAT16
    (tmp_path / "manifest.json").write_text('{"dtype": "bfloat16"}')
    assert np.array_equal(open_pool(tmp_path).read(0, 23), rows)


@pytest.mark.parametrize("kind", ["float32", "float16", "int8", "float64"])
def test_parquet_is_read_by_row_groups(tmp_path, kind):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    rows = ROWS.astype(kind)
    for i, part in enumerate((rows[:10], rows[10:])):
        column = pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), 5)
        table = pa.table({"id": [str(k) for k in range(len(part))], "vector": column})
        pq.write_table(table, tmp_path / f"{i}.parquet", row_group_size=4)
    pool = open_pool(str(tmp_path / "*.parquet"))
    expected = rows.astype(np.float32)
    found = [b.rows[: b.valid].astype(np.float32) for b in reading.blocks(pool, 7)]
    assert np.array_equal(np.concatenate(found), expected)
    assert pool.dtype == (np.dtype(kind) if kind != "float64" else np.float32)
    wanted = [22, 1, 12, 0, 12]
    assert np.array_equal(pool.take(wanted).astype(np.float32), expected[wanted])
    assert pool.bytes_read > 0
    # A whole pass reads every row group once, and none stays in memory.
    assert all(shard._decoded is None for shard in pool.shards)
    before = pool.bytes_read
    list(reading.blocks(pool, 3))
    once = pool.bytes_read - before
    before = pool.bytes_read
    pool.read(0, 23)
    assert pool.bytes_read - before == once


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int32"])
def test_another_machines_byte_order_is_turned(tmp_path, dtype):
    swapped = ROWS.astype(np.dtype(dtype).newbyteorder(">"))
    np.save(tmp_path / "x.npy", swapped)
    pool = open_pool(tmp_path / "x.npy")
    assert pool.dtype == (np.float16 if dtype == "float16" else np.float32)
    expected = swapped.astype(np.float32)
    assert np.array_equal(pool.read(2, 20).astype(np.float32), expected[2:20])
    assert np.array_equal(
        pool.take([20, 3, 4]).astype(np.float32), expected[[20, 3, 4]]
    )
    bits = ROWS.astype(BFLOAT16).view(np.uint16).astype(">u2")
    np.save(tmp_path / "x.npy", bits)
    with pytest.raises(UserError, match="uint16"):
        open_pool(tmp_path / "x.npy")
    rows = open_pool(tmp_path / "x.npy", dtype="bfloat16").read(0, 23)
    assert np.array_equal(rows, ROWS.astype(BFLOAT16))


def test_shards_come_in_natural_order(tmp_path):
    names = [
        "b2/10",
        "b2/9",
        "b10/0",
        "b2/009",
        "B2/9a",
        "b2/x-1-2",
        "b2/X-1-10",
        "b2/y/1",
    ]
    for i, name in enumerate(names):
        (tmp_path / f"{name}.npy").parent.mkdir(exist_ok=True, parents=True)
        np.save(tmp_path / f"{name}.npy", np.full((1, 1), i, np.float32))
    found = open_pool(str(tmp_path / "**" / "*.npy")).read(0, 8).ravel().tolist()
    # 009 is 9, and comes before it as 0 comes before 9; 9a is a longer name; then 10.
    assert [names[int(i)] for i in found] == [
        "b2/009",
        "b2/9",
        "B2/9a",
        "b2/10",
        "b2/x-1-2",
        "b2/X-1-10",
        "b2/y/1",
        "b10/0",
    ]
    # A list is taken as it is given.
    listed = [tmp_path / f"{name}.npy" for name in names]
    assert open_pool(listed).read(0, 8).ravel().tolist() == [*range(8)]


def test_files_and_groups_without_rows_are_passed_over(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    schema = pa.schema([("vector", pa.list_(pa.float32()))])
    whole = pa.table({"vector": ROWS.tolist()}, schema=schema)
    none = whole.slice(0, 0)
    for name, parts in {
        "0": [none],
        "1": [none, whole.slice(0, 9), none, whole.slice(9), none],
        "2": [none, none],
    }.items():
        with pq.ParquetWriter(tmp_path / f"{name}.parquet", schema) as writer:
            for part in parts:
                writer.write_table(part)
    # Without rows there is often no type either.
    untyped = pa.table({"vector": pa.array([], pa.null())})
    pq.write_table(untyped, tmp_path / "3.parquet")
    pool = open_pool(str(tmp_path / "*.parquet"))
    assert np.array_equal(pool.read(0, 23), ROWS)
    assert np.array_equal(pool.take([8, 9, 0]), ROWS[[8, 9, 0]])
    assert pool.file_of(0) == (tmp_path / "1.parquet", 0)

    where, _ = shards(tmp_path, "float32")
    for name, shape in {"part-": (0, 5), "part1a": (0,), "part3": (0, 0)}.items():
        np.save(tmp_path / f"{name}.npy", np.zeros(shape))  # float64 beside float32
    pool = open_pool(where)
    assert len(pool.shards) == 6 and np.array_equal(pool.read(0, 23), ROWS)
    assert pool.file_of(22) == (tmp_path / "part2.npy", 12)
    assert np.array_equal(pool.take([9, 10]), ROWS[[9, 10]])

    for nothing in ("[02].parquet", "3.parquet", "part3.npy"):
        with pytest.raises(UserError, match="expected rows in the pool, found none"):
            open_pool(str(tmp_path / nothing))


def parquet(folder, name, columns, **options):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), folder / name, row_group_size=4, **options)
    return folder / name


def test_ids_come_along_from_every_shard(tmp_path):
    names = [f"scan{k}.png" for k in range(23)]
    pa = pytest.importorskip("pyarrow")
    for i, part in enumerate((slice(0, 10), slice(10, 23))):
        ids = pa.array(names[part])
        ids = ids.dictionary_encode() if i else ids.cast(pa.string_view())
        columns = {"path": ids, "vector": ROWS[part].tolist(), "label": [0] * len(ids)}
        parquet(tmp_path, f"{i}.parquet", columns)
    pool = open_pool(str(tmp_path / "*.parquet"))
    wanted = [22, 1, 12, 0]
    assert pool.names(wanted).tolist() == [names[row] for row in wanted]
    assert pool.roles.sentence() == (
        "features (vector); ids from 'path'; left out: label (an answer)"
    )
    np.save(tmp_path / "x.npy", ROWS)
    assert open_pool(tmp_path / "x.npy").names([3]) is None


def test_an_id_that_is_missing_is_the_place_of_the_row(tmp_path):
    ids = [f"a{k}" for k in range(23)]
    ids[20] = None
    path = parquet(tmp_path, "x.parquet", {"id": ids, "emb": ROWS.tolist()})
    pool = open_pool(path)
    assert pool.names([20, 3]).tolist() == [f"{path.as_posix()}:20", "a3"]
    assert open_pool(path, ids="id").names([1]).tolist() == ["a1"]


def test_a_stored_folder_has_ids(tmp_path):
    np.save(tmp_path / "features.npy", ROWS)
    np.save(tmp_path / "ids.npy", np.array([f"n{k}" for k in range(23)]))
    assert open_pool(tmp_path).names([22, 0]).tolist() == ["n22", "n0"]
    np.save(tmp_path / "ids.npy", np.arange(23))
    with pytest.raises(UserError, match=r"23 ids as text in .*ids\.npy"):
        open_pool(tmp_path).names([0])


def test_columns_of_numbers_are_rows_too(tmp_path):
    columns = {f"m{k}": ROWS[:, k] for k in range(3)}
    columns |= {"count": [*range(5, 27), None], "zeile": range(23), "y": [1] * 23}
    path = parquet(tmp_path, "x.parquet", columns)
    pool = open_pool(path)
    counts = np.array([*range(5, 27), np.nan], np.float32)
    expected = np.column_stack([ROWS[:, :3], counts])
    np.testing.assert_array_equal(pool.read(0, 23), expected)
    assert pool.roles.left_out == {"zeile": "numbers the rows", "y": "an answer"}
    pool = open_pool(path, columns=["count", "y"])
    np.testing.assert_array_equal(pool.take([3, 1]), [[8, 1], [6, 1]])


def test_the_first_file_says_what_columns_are(tmp_path):
    columns = {"emb": ROWS.tolist(), "bbox": [[0.0, 1.0]] * 23, "id": range(23)}
    parquet(tmp_path, "0.parquet", columns)
    other = {**columns, "embedding": columns["emb"], "id": range(23, 46)}
    parquet(tmp_path, "1.parquet", other)
    pool = open_pool(str(tmp_path / "*.parquet"), features="bbox")
    assert (pool.n, pool.d) == (46, 2)
    pool = open_pool(str(tmp_path / "*.parquet"))
    assert pool.d == 5 and pool.names([45]).tolist() == ["45"]
    del other["emb"]
    parquet(tmp_path, "1.parquet", other)
    with pytest.raises(UserError, match=r"a column 'emb' in .*1\.parquet"):
        open_pool(str(tmp_path / "*.parquet"))
    np.save(tmp_path / "x.npy", ROWS)
    for where, words in ((tmp_path / "x.npy", "no names"), (pool, "open_pool")):
        with pytest.raises(UserError, match=words):
            open_pool(where, columns=["emb"])
    assert open_pool([tmp_path / "0.parquet", tmp_path / "x.npy"]).n == 46


def test_two_blocks_live_and_the_thread_ends(tmp_path):
    np.save(tmp_path / "x.npy", ROWS)
    before = threading.active_count()
    seen = set()
    for block in reading.blocks(open_pool(tmp_path / "x.npy"), 2):
        seen.add(block.rows.ctypes.data)
        assert block.rows.ctypes.data % reading.ALIGNMENT == 0
    assert len(seen) == 2
    for _ in reading.blocks(open_pool(tmp_path / "x.npy"), 2):
        break  # and the generator is closed
    assert threading.active_count() == before


def cut(path):
    os.truncate(path, path.stat().st_size - 1)


def grow(path):
    with path.open("ab") as file:
        file.write(b"\0")


def rewrite(path):
    stamp = path.stat()
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, "cut to"),
        (grow, "grown to"),
        (rewrite, "written anew"),
        (lambda path: path.unlink(), "No such file"),
    ],
)
def test_a_file_that_changes_while_it_is_read_is_named(tmp_path, damage, words):
    pool = open_pool(shards(tmp_path, "float16")[0])
    found = reading.blocks(pool, 4)
    next(found)
    damage(tmp_path / "part2.npy")
    with pytest.raises(UserError, match=f"part2.npy.*{words}"):
        list(found)
    with pytest.raises(UserError, match=r"part2\.npy"):
        pool.take([0, 22])
    assert len(pool.take([0])) == 1  # the other files are as they were


@pytest.mark.parametrize(("damage", "words"), [(cut, "truncated"), (grow, "too long")])
def test_a_file_of_another_size_than_its_header_says_is_refused(
    tmp_path, damage, words
):
    where, _ = shards(tmp_path, "float32")
    damage(tmp_path / "part1.npy")
    with pytest.raises(UserError, match=f"part1.npy.*{words}"):
        open_pool(where)


def test_what_is_no_pool_is_refused(tmp_path):
    where, _ = shards(tmp_path, "float32")
    np.save(tmp_path / "part9.npy", np.zeros((2, 6), np.float32))
    with pytest.raises(UserError, match=r"of 5 float32.*found 6 float32 in .*part9"):
        open_pool(where)
    np.save(tmp_path / "part9.npy", np.zeros((2, 5), np.float16))
    with pytest.raises(UserError, match=r"5 float16 in .*part9.npy"):
        open_pool(where)
    np.save(tmp_path / "flat.npy", np.zeros(3))
    np.save(tmp_path / "turned.npy", np.zeros((3, 4), order="F"))
    np.save(tmp_path / "text.npy", np.array([["a", "b"]]))
    (tmp_path / "torn.npy").write_bytes(b"\x93NUMPY")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    for name, words in [
        ("flat.npy", r"shape \(3,\)"),
        ("turned.npy", "ascontiguousarray"),
        ("text.npy", "<U1"),
        ("torn.npy", "torn.npy"),
        ("torn.parquet", "torn.parquet"),
        ("none.npy", "No such file"),
        ("none*.npy", "match"),
        ("flat.csv", "ends in .npy or .parquet"),
        (".", "glob"),
    ]:
        with pytest.raises(UserError, match=words):
            open_pool(str(tmp_path / name))
    for bad in (3, [], [1], [tmp_path / "part0.npy"] * 2, ROWS):
        with pytest.raises(UserError, match="expected"):
            open_pool(bad)
    for options in ({"scale": 0}, {"scale": float("nan")}, {"dtype": "int4"}):
        with pytest.raises(UserError, match="expected"):
            open_pool(where, **options)


def test_the_fingerprint_follows_the_rows(tmp_path):
    where, _ = shards(tmp_path, "float32")
    first = open_pool(where).fingerprint()
    assert open_pool(where).fingerprint() == first
    assert open_pool(where, scale=2.0).fingerprint() != first
    rows = np.load(tmp_path / "part1.npy")
    np.save(tmp_path / "part1.npy", rows + 1)
    assert open_pool(where).fingerprint() != first
