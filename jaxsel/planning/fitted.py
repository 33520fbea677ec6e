"""The numbers in the forecasts that no reading of the code gives: all fitted ones.

`python -m benchmarks.planning --fit REPORT.json` prints these tables from a report of
`python -m benchmarks.planning`.
"""

MIB = 1 << 20

# Copies in float32 beside the one that stays, while NumPy's rows of another type are
# handed to JAX.
CONVERTER_COPIES = 2

# What compiling a method's programs leaves with the process, in a first call.
COMPILER_BYTES = {
    name: size * MIB
    for name, size in {
        "random": 17,
        "norm": 24,
        "gram_schmidt": 210,
        "k_center": 118,
        "max_herding": 105,
        "probcover": 250,
        "typiclust": 185,
        "probcover+norm": 250,
        "probcover+gs": 275,
        "probcover+random": 250,
        "typiclust+norm": 195,
        "typiclust+gs": 255,
        "typiclust+random": 190,
    }.items()
}

# Of it what TypiClust's clustering leaves; the rest comes with the picks.
CLUSTERING_COMPILER_BYTES = 140 * MIB

# Seconds of it.
COMPILER_SECONDS = {
    "random": 0.4,
    "norm": 0.5,
    "gram_schmidt": 3.0,
    "k_center": 1.5,
    "max_herding": 3.0,
    "probcover": 9.0,
    "typiclust": 4.5,
    "probcover+norm": 9.5,
    "probcover+gs": 12.0,
    "probcover+random": 9.5,
    "typiclust+norm": 5.0,
    "typiclust+gs": 8.0,
    "typiclust+random": 5.0,
}

# What a method reaches of the machine's rates.
EFFICIENCY = {
    "random": 0.3,
    "norm": 0.3,
    "gram_schmidt": 0.3,
    "k_center": 0.3,
    "max_herding": 0.3,
    "probcover": 0.3,
    "typiclust": 0.3,
}
