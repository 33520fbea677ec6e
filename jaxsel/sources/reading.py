"""How the images of a pool are read, where that is not plain."""

import hashlib
from collections.abc import Collection, Mapping
from typing import NamedTuple

from jaxsel.sources.levels import Line


class Reading(NamedTuple):
    """How the images of a folder are read, where that is not plain.

    Attributes:
      several: ids of files with several pages or frames, of which the first is taken.
      deep: how many images have more than 8 bits.
      levels: the lines that take their numbers to 256 levels, by kind of number.
      flat: ids of those of them that keep few levels, since others of the pool reach
        much further.
    """

    several: tuple[str, ...] = ()
    deep: int = 0
    levels: Mapping[str, Line] = {}
    flat: tuple[str, ...] = ()

    def of_those(self, ids: Collection[str]) -> "Reading":
        """The same without images that turned out not to be readable."""
        return self._replace(
            several=tuple(name for name in self.several if name in ids),
            flat=tuple(name for name in self.flat if name in ids),
        )

    @property
    def fingerprint(self) -> str:
        """What images of more than 8 bits depend on besides their files; else ""."""
        lines = {kind: Line(*ends) for kind, ends in sorted(self.levels.items())}
        return hashlib.sha256(repr(lines).encode()).hexdigest() if lines else ""
