"""Checkpoints of a training: the two latest, written while training goes on."""

import pathlib
from typing import Any

from absl import logging

from jaxsel.full_disk import is_full, named_if_full

KEPT = 2


def _is_not_said_later(record: Any) -> bool:
    """Whether a line of the log is to be seen.

    The thread that writes logs the traceback of a full disk, which `save` and the end
    of the context raise as one line.
    """
    error = record.exc_info[1] if record.exc_info else None
    return error is None or not is_full(error)


class Checkpoints:
    """A folder of checkpoints; used as a context manager, which waits at its end.

    A checkpoint is a folder named by its step. It is renamed to that name when it is
    whole, so that a process killed in the middle of writing leaves the one before.

    Args:
      folder: where they are; made when it is missing.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        from orbax.checkpoint import v1 as ocp  # heavy, and few jobs have checkpoints

        self._folder = folder
        logging.get_absl_logger().addFilter(_is_not_said_later)
        self._checkpointer = ocp.training.Checkpointer(
            folder.resolve(),
            preservation_policy=ocp.training.preservation_policies.LatestN(KEPT),
            cleanup_tmp_directories=True,
        )

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_: object) -> None:
        with named_if_full(self._folder):
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

        Raises:
          DiskFull: there is no room for the save before it, or for this one.
        """
        with named_if_full(self._folder):
            self._checkpointer.wait()
            if step != self.latest:
                # By force: else a save is left out at the library's discretion.
                self._checkpointer.save_async(step, state, force=True)
