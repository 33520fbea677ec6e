"""Pools on disk: rows are read block by block, and never held all at once.

    opening ──▶ Pool of shards (npy, parquet) ──▶ reading: two blocks, one being filled
                                                  while the other is computed with

A pool is one `.npy` file, or a list or glob of `.npy` or `.parquet` shards of one width
and type. Rows stay in the type of the file (float32, float16, bfloat16 or int8), and
are widened to float32 where they are used. Files are read at positions, not mapped:
pages of a mapping count as the process's own memory.
"""
