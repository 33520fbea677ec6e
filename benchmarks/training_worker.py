"""One contender of the training benchmark in a process of its own.

`python -m benchmarks.training_worker REQUEST.json RESPONSE.json`. The rival may live in
another environment (`--rival-python`) without JAX, ours has no torch, so either is
imported only when it is asked for.
"""

from collections.abc import Callable

from benchmarks.process import answer
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


def respond(question: dict) -> dict:
    """Prepares the work that is asked for, and measures it."""
    return measure(prepare(question["work"], question["options"]), question["repeats"])


if __name__ == "__main__":
    answer(respond)
