"""Selection on pools larger than memory: the picks of `jaxsel.select`, from disk.

    Pool ──▶ Stream: passes over blocks of rows, gathered rows, what was read
               │
               ▼
    Procedure: start ──▶ step ──▶ … ──▶ finish     (one file a method)
               │           │
               └───────────┴──▶ checkpoint: the state after every step

What is kept of a row is a few numbers (a length, a bound, whether it is free), in
arrays `[n]` of NumPy: the state, a plain dictionary. A step proposes rows from the
state alone, gathers those few from disk, walks them with the functions that the
selectors in memory use, and then reads the pool once to bring the state up to date.
Blocks of rows are the only other thing in memory; how large they may be follows from
the bound on memory (`plan.py`). A state that was saved goes on to the same picks.
"""
