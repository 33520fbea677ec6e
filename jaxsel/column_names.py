"""What the name of a column says: that it names rows, holds answers, or a vector.

A name is read as words: `imageId`, `image_id` and `IMAGE ID` are the words image, id.
The last word decides, as in English: a `class_score` is a score, a `row_height` a
height, and a `patient_id` an id. Numbers do not count: `label_3` is a label.
"""

import re
import unicodedata

_BORDERS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORDS = re.compile(r"[^\W\d_]+")
_PANDAS = re.compile(r"__index_level_\d+__|level_0|unnamed: ?\d+(_level_\d+)?", re.I)
# `n_files` is a count, not a file.
_COUNTS = {
    "n", "num", "number", "count", "total", "sum", "mean", "avg", "average", "max",
    "min", "std", "var", "median", "mode", "ratio", "log",
}  # fmt: skip
# What a row of a table may be.
_THINGS = {
    "image", "img", "picture", "photo", "sample", "example", "row", "record", "item",
    "instance", "entry", "observation", "obs", "case", "patient", "subject",
    "participant", "study", "scan", "slide", "tile", "patch", "object", "file",
    "document", "doc", "user", "customer", "original", "orig", "dataset", "data",
    "frame", "point", "line", "cell",
}  # fmt: skip
# Those that on their own are rather a name than a measurement.
_ALONE = {
    "image", "img", "picture", "photo", "sample", "example", "record", "item",
    "instance", "observation", "obs", "case", "patient", "subject", "participant",
    "scan", "slide", "document", "doc",
}  # fmt: skip
_IDS = {"id", "ids", "uid", "uuid", "guid"}
_FILES = {
    "file", "files", "filename", "filenames", "filepath", "filepaths", "path", "paths",
    "url", "urls", "uri", "uris",
}  # fmt: skip
_KEYS = {"key", "keys", "name", "names"}
_NUMBERS = {"index", "indices", "idx", "row", "rows", "no", "nr", "number", "num"}
_ANSWERS = {
    "label", "labels", "target", "targets", "class", "classes", "category",
    "categories", "annotation", "annotations", "answer", "answers", "outcome",
    "outcomes", "diagnosis", "groundtruth", "gt", "split", "splits", "fold", "folds",
}  # fmt: skip
_ANSWERS_WHOLE = {
    ("ground", "truth"), ("truth",), ("train",), ("test",), ("val",), ("valid",),
    ("validation",), ("is", "train"), ("is", "test"), ("is", "val"), ("is", "valid"),
    ("is", "validation"), ("subset",), ("partition",), ("y", "true"), ("y", "pred"),
    ("prediction",), ("predictions",), ("predicted",), ("pred",), ("preds",),
}  # fmt: skip
# `label_id` and `class_name` are the answer as well.
_OF_ANSWERS = _IDS | _KEYS | _NUMBERS | {"text", "str", "code", "int", "value"}
_VECTORS = ("features", "feature", "embedding", "embeddings", "vector", "vectors")
_VECTOR_WORDS = {
    *_VECTORS, "feat", "feats", "emb", "embs", "embed", "embeds", "vec", "vecs",
    "representation", "representations", "latent", "latents", "descriptor",
    "descriptors",
}  # fmt: skip
# Of columns with a number, those that are a vector which was spread out.
_SPREAD = (_VECTOR_WORDS - {"features", "feature", "feat", "feats"}) | {
    "dim", "dims", "component", "components", "pc", "pca",
}  # fmt: skip
_OTHER_LISTS = {
    "bbox", "bboxes", "box", "boxes", "logits", "probs", "probabilities", "scores",
    "tags", "tokens", "mask", "shape", "size", "keypoints", "landmarks", "polygon",
    "segmentation", "points",
}  # fmt: skip


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case, without its numbers.

    Example:
      >>> words_of("ImageID"), words_of("serum-2")
      (('image', 'id'), ('serum',))
    """
    spaced = _BORDERS.sub(" ", unicodedata.normalize("NFKC", name))
    return tuple(word.lower() for word in _WORDS.findall(spaced))


def row_name_rank(name: str) -> int | None:
    """How well a column names rows, 0 the best; None where it does not.

    0 is `id`, 1 a file (`file_name`, `image_path`, `url`), 2 a key or a name, 3 the id
    of something (`sample_id`), 4 the thing itself (`patient`), 5 a number of the row
    (`index`, `Unnamed: 0`).

    Example:
      >>> [row_name_rank(name) for name in ("image_id", "Unnamed: 0", "row_height")]
      [3, 5, None]
      >>> [row_name_rank(name) for name in ("body_mass_index", "n_files", "NO")]
      [None, None, None]
    """
    name = name.strip()
    if not name or name in ("#", "№") or _PANDAS.fullmatch(name):
        return 5
    words, whole = words_of(name), "".join(words_of(name))
    if whole in ("id", "ids"):  # `IDs` too, which reads as two words
        return 0
    if not words or name[:2] == "NO" == name.rstrip("0123456789"):
        return None  # NO and NO2 are gases
    if len(words) > 1 and words[0] in _COUNTS:
        return None
    # Before the last word: `file` of file_name; without an underscore, of filename.
    last = words[-1]
    before = words[-2] if len(words) > 1 else ""
    if last in _FILES or (before == "file" and last in ("name", "names")):
        return 1
    if len(words) == 1:
        thing = re.fullmatch("(.+)(ids?|idx|key|path|file|names?)", whole)
        if whole in _IDS | _KEYS:
            return 2
        if whole in _NUMBERS - {"num", "number"} | {"rownames", "rownum"}:
            return 5
        if thing and thing[1] in _THINGS:
            return 1 if thing[2] in ("path", "file") else 3
        if whole in ("objectid", "fid", "gid", "oid", "pid", "sid", "rid", "pk"):
            return 3
        return 4 if whole in _ALONE else None
    if last in _IDS or (last in _KEYS and before in _THINGS):
        return 3
    if last in _NUMBERS and (before in _THINGS or before in ("s", "sr", "serial")):
        return 5
    return None


def is_answer(name: str) -> bool:
    """Whether a column holds answers, or says which part of the data a row is of.

    A column `y` is another matter: see `columns.roles_of`.

    Example:
      >>> [is_answer(name) for name in ("Target", "fine_label", "class_score", "split")]
      [True, True, False, True]
    """
    words = words_of(name)
    if not words or (len(words) > 1 and words[0] in _COUNTS):
        return False
    if words in _ANSWERS_WHOLE or words[-1] in _ANSWERS:
        return True
    return len(words) > 1 and words[-2] in _ANSWERS and words[-1] in _OF_ANSWERS


def vector_rank(name: str) -> int:
    """How sure a column of lists is the features, by its name: 0 the surest, to 3.

    0 is `embedding` and the like, 1 a name that ends so (`clip_embedding`), 2 any
    other, 3 a name of other lists (`bbox`, `logits`).

    Example:
      >>> [vector_rank(n) for n in ("features", "image_emb", "clip", "bbox")]
      [0, 1, 2, 3]
    """
    words = words_of(name)
    if name.lower() in _VECTORS:
        return 0
    if not words:
        return 2
    if words[-1] in _VECTOR_WORDS:
        return 1
    return 3 if words[-1] in _OTHER_LISTS else 2


def is_spread(prefix: str) -> bool:
    """Whether numbered columns with this prefix are a vector that was spread out.

    Example:
      >>> is_spread("embedding_"), is_spread("serum")
      (True, False)
    """
    words = words_of(prefix)
    return bool(words) and words[-1] in _SPREAD
