"""One contender of the training benchmark in a process of its own.

`python -m benchmarks.training_worker REQUEST.json RESPONSE.json`. The rival may live in
another environment (`--rival-python`) without JAX, ours has no torch, so either is
imported only when it is asked for.
"""

import json
import os
import pathlib
import sys
import traceback
from collections.abc import Callable

from benchmarks.work import Work, measure


def prepare(name: str, options: dict) -> Work:
    """The work of a request, ready to be called.

    Raises:
      ValueError: for an unknown name.
    """
    if name == "torch_resnet":
        from benchmarks import torch_resnet

        return torch_resnet.prepare(**options)
    from benchmarks import training_work

    known: dict[str, Callable[..., Work]] = {
        "replicates": training_work.replicates,
        "flexmatch": training_work.flexmatch,
        "matrix_product": training_work.matrix_product,
    }
    if name not in known:
        raise ValueError(
            f"work: expected one of {', '.join((*known, 'torch_resnet'))}, "
            f"found {name!r}"
        )
    return known[name](**options)


def main() -> None:
    request_path, response_path = map(pathlib.Path, sys.argv[1:3])
    request = json.loads(request_path.read_text())
    load = os.getloadavg()[0]
    try:
        work = prepare(request["work"], request["options"])
        response = measure(work, request["repeats"])
    except Exception as error:
        print(traceback.format_exc(), file=sys.stderr)
        response = {"error": f"{type(error).__name__}: {error}"[:300]}
    response["load"] = load
    response_path.write_text(json.dumps(response))


if __name__ == "__main__":
    main()
