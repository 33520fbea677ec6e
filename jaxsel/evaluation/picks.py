"""One chosen example a row: the columns of `selections.csv`, read strictly."""

from os import PathLike
from typing import NamedTuple

from jaxsel.errors import UserError
from jaxsel.evaluation.rows import complete_lines, parse_rows


class Pick(NamedTuple):
    """The example that a method chose as number `rank` of its `budget`."""

    method: str
    budget: int
    seed: int
    rank: int  # 0 is the first pick; -p … -1 are an initial labelled pool
    index: int  # type: ignore[assignment]  # row of the pool; hides tuple.index
    id: str
    label: int  # row of the class names


PICK_COLUMNS: tuple[str, ...] = Pick._fields


def read_picks(path: str | PathLike[str]) -> list[Pick]:
    """Read `selections.csv`: every complete line, checked.

    Args:
      path: the file.

    Returns:
      The picks in file order.

    Raises:
      UserError: the file cannot be read, a complete line is wrong, or a method
        picked one example twice in the same run.
    """
    picks = parse_rows(complete_lines(path), Pick, str(path))
    seen: set[tuple] = set()
    for number, pick in enumerate(picks, start=2):
        if min(pick.index, pick.label) < 0 or pick.budget < 1:
            raise UserError(
                f"{path}, row {number}: expected index and label at least 0 and "
                f"budget at least 1, found {tuple(pick)}; mend or delete the line"
            )
        run = (pick.method, pick.budget, pick.seed)
        for kind, value in (("rank", pick.rank), ("index", pick.index)):
            if (run, kind, value) in seen:
                raise UserError(
                    f"{path}, row {number}: expected each {kind} once in the run "
                    f"{run}, found {kind} {value} again; delete the file and start "
                    "the job again"
                )
            seen.add((run, kind, value))
    return picks
