"""Data sets: prepared, read, cached, streamed."""

from jaxsel.data.catalog import DATASETS as DATASETS
from jaxsel.data.catalog import DatasetSpec as DatasetSpec
from jaxsel.data.catalog import dataset as dataset
from jaxsel.data.images import ImageSet as ImageSet
from jaxsel.data.images import fingerprint as fingerprint
from jaxsel.data.load import load as load
from jaxsel.data.load import load_fingerprinted as load_fingerprinted
from jaxsel.data.stream import read_labels_and_ids as read_labels_and_ids
from jaxsel.data.stream import stream as stream
