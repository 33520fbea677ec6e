"""Run by test_mesh_job.py: a small study on whatever devices and processes there are.

One argument, the workdir. The last line says how many there were.
"""

import pathlib
import sys

from tiny_study import tiny

from jaxsel.experiment import hosts


def study():
    config = tiny(methods=("random", "norm"), frameworks=("linear_probe",))
    config.replicates.linear_probe_chunk = 0
    return config


if __name__ == "__main__":
    hosts.join()
    import jax

    from jaxsel.experiment.run import run

    run(study(), pathlib.Path(sys.argv[1]))
    print(jax.device_count(), jax.process_count())
