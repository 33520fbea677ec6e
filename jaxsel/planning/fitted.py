"""The numbers in the forecasts that no reading of the code gives: all fitted ones.

`python -m benchmarks.planning --fit REPORT.json` prints these tables from a report of
`python -m benchmarks.planning`; these are of the one in `benchmarks/results/planning`.
"""

MIB = 1 << 20

# What compiling a method's programs leaves with the process, in a first call. It
# differs by some 20 MiB between processes.
COMPILER_BYTES = {
    name: size * MIB
    for name, size in {
        "random": 19,
        "norm": 28,
        "gram_schmidt": 238,
        "k_center": 117,
        "typiclust": 193,
        "probcover": 231,
        "max_herding": 94,
        "probcover+norm": 277,
        "probcover+gs": 245,
        "probcover+random": 274,
        "typiclust+norm": 178,
        "typiclust+gs": 243,
        "typiclust+random": 181,
    }.items()
}

# Of it what TypiClust's clustering leaves; the rest comes with the picks.
CLUSTERING_COMPILER_BYTES = 164 * MIB

# Seconds of it, of one processor.
COMPILER_SECONDS = {
    "random": 0.4,
    "norm": 0.6,
    "gram_schmidt": 3.9,
    "k_center": 1.9,
    "typiclust": 6.0,
    "probcover": 10.3,
    "max_herding": 6.5,
    "probcover+norm": 10.7,
    "probcover+gs": 15.1,
    "probcover+random": 12.0,
    "typiclust+norm": 6.9,
    "typiclust+gs": 9.3,
    "typiclust+random": 6.6,
}

# What a method reaches of the machine's rates; more than 1 where the work that is
# counted is the most there can be. The first two take too little beside compiling for
# it to be measured: theirs are as of Gram-Schmidt.
EFFICIENCY = {
    "random": 0.62,
    "norm": 0.62,
    "gram_schmidt": 0.62,
    "k_center": 0.84,
    "typiclust": 0.85,
    "probcover": 2.1,
    "max_herding": 0.61,
}
