"""TensorFlow-free tfds builders: original archives in, array_record files out.

tfds encodes arrays as images with TensorFlow; bytes of an image file it writes as
they are. So these builders hand it PNG or JPEG bytes. They import tensorflow_datasets
and are themselves imported only when a set is prepared.
"""
