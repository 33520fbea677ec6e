"""Checkpoints of a training: the two latest, written while training goes on."""

import pathlib
from typing import Any

KEPT = 2


class Checkpoints:
    """A folder of checkpoints; used as a context manager, which waits at its end.

    A checkpoint is a folder named by its step. It is renamed to that name when it is
    whole, so that a process killed in the middle of writing leaves the one before.

    Args:
      folder: where they are; made when it is missing.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        from orbax.checkpoint import v1 as ocp  # heavy, and few jobs have checkpoints

        self._checkpointer = ocp.training.Checkpointer(
            folder.resolve(),
            preservation_policy=ocp.training.preservation_policies.LatestN(KEPT),
            cleanup_tmp_directories=True,
        )

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_: object) -> None:
        self._checkpointer.close()

    @property
    def latest(self) -> int | None:
        """The step of the latest whole checkpoint, None without one."""
        found = self._checkpointer.latest
        return None if found is None else int(found.step)

    def restore(self, template: Any) -> Any:
        """The latest checkpoint.

        Args:
          template: arrays of the same tree, shapes and device.
        """
        return self._checkpointer.load(self._checkpointer.latest, template)

    def save(self, step: int, state: Any) -> None:
        """Copies `state` to memory and writes it in the background.

        Waits for the save before it, if that one is still being written.
        """
        self._checkpointer.wait()
        if step != self.latest:
            # By force: else a save is left out at the library's discretion.
            self._checkpointer.save_async(step, state, force=True)
