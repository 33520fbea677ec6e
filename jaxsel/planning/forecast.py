"""What a selection would take, by method; and the refusal of what cannot fit."""

from typing import NamedTuple

from jaxsel.errors import UserError
from jaxsel.planning.duration import seconds
from jaxsel.planning.machine import Machine
from jaxsel.planning.memory import FILE, peak
from jaxsel.planning.shape import Call
from jaxsel.selection.methods import METHODS

# Methods that work on a mapped file in place, pass after pass; the others read it for
# a copy or a few numbers a row, and the system may drop what was read.
_IN_PLACE = ("gram_schmidt", "k_center")


class Forecast(NamedTuple):
    """Of one call of `jaxsel.select`.

    Attributes:
      method: its name.
      peak_bytes: most memory at one time, above what the process takes when idle.
      needed_bytes: the part of it that must be there: without a mapped file that is
        read once or twice, which the system may drop as it is read.
      seconds: about; compiling is counted in.
      parts: bytes of the peak by what holds them, the largest first.
    """

    method: str
    peak_bytes: int
    needed_bytes: int
    seconds: float
    parts: tuple[tuple[str, int], ...]


def forecast(method: str, call: Call, machine: Machine) -> Forecast:
    """Predicts memory and time; nothing of the pool's size is made.

    Memory is within 25 % of what was measured on a CPU, at three sizes of every method
    (one of those in two stages: `benchmarks/planning.py`); for an accelerator it
    follows from the same terms and was not measured. Time is rough (`duration`).

    Args:
      method: of `jaxsel.METHODS`.
      call: of it.
      machine: where.

    Returns:
      The forecast.

    Example:
      >>> from jaxsel.planning.shape import Shape
      >>> here = Machine(8 << 30, 1e11, 1e10, 2, "cpu")
      >>> found = forecast("typiclust", Call(Shape(1_000_000, 256), 100), here)
      >>> 4.0 < found.peak_bytes / 1e9 < 4.5, dict(found.parts)["rows at length 1"]
      (True, 1024000000)
    """
    parts = peak(method, call, device=machine.device)
    total = sum(parts.values())
    kept = 0 if method in _IN_PLACE else parts.get(FILE, 0)
    largest = sorted(parts.items(), key=lambda part: -part[1])
    return Forecast(
        method,
        total,
        total - kept,
        seconds(method, call, machine),
        tuple((name, size) for name, size in largest if size),
    )


def needed_bytes(method: str, call: Call, device: str) -> int:
    """`Forecast.needed_bytes`, for which no rate of the machine is measured."""
    return forecast(method, call, Machine(0, 1.0, 1.0, 1, device)).needed_bytes


def check_fits(method: str, call: Call, *, free: int, device: str = "cpu") -> None:
    """Refuses a selection that would not fit, before anything is made for it.

    Args:
      method: of `jaxsel.METHODS`.
      call: of it; nothing is refused where no row is to be picked.
      free: bytes that are left, as of `free.free_bytes`.
      device: "cpu" or another.

    Raises:
      UserError: it would not; what it needs, what there is, and the methods that fit,
        or how many rows would.

    Example:
      >>> from jaxsel.planning.shape import Shape
      >>> check_fits("norm", Call(Shape(1_000_000, 256), 100), free=4 << 30)
    """
    if call.budget == 0:
        return
    needs = {name: needed_bytes(name, call, device) for name in METHODS}
    if needs[method] <= free:
        return
    fit = [
        name for name in sorted(needs, key=lambda n: needs[n]) if needs[name] <= free
    ]
    if fit:
        instead = f"choose a method that fits ({', '.join(fit)})"
    else:
        most = most_rows(method, call, free=free, device=device)
        what = (
            f"{most:,} rows would fit"
            if most
            else "no number of rows would fit with it"
        )
        instead = f"no method fits, {what}: choose fewer rows, or a larger machine"
    raise UserError(
        f"expected {words_of_bytes(needs[method])} of free memory for {method} on "
        f"{call.shape.n:,} rows of {call.shape.d:,} features (the forecast of jaxsel "
        f"plan), found {words_of_bytes(free)}: {instead}"
    )


def most_rows(method: str, call: Call, *, free: int, device: str = "cpu") -> int:
    """The largest pool of the same kind that fits, up to the given one; 0 if none."""
    low, high = 0, call.shape.n
    while low < high:
        middle = (low + high + 1) // 2
        smaller = call._replace(
            shape=call.shape._replace(n=middle), budget=min(call.budget, middle)
        )
        if needed_bytes(method, smaller, device) <= free:
            low = middle
        else:
            high = middle - 1
    return low


def words_of_bytes(size: float) -> str:
    """A number of bytes for people, in powers of 1000.

    Example:
      >>> words_of_bytes(1_234_000_000), words_of_bytes(56_000_000)
      ('1.2 GB', '56 MB')
    """
    if size >= 1e13:
        return f"{size / 1e12:.0f} TB"
    if size >= 1e10:
        return f"{size / 1e9:.0f} GB"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def words_of_seconds(seconds: float) -> str:
    """A time for people, as rough as it is known.

    Example:
      >>> [words_of_seconds(time) for time in (0.4, 7.3, 42, 400, 50_000, 1e7)]
      ['1 s', '7 s', '40 s', '7 min', '14 h', '116 days']
    """
    if seconds < 9.5:
        return f"{max(1, round(seconds))} s"
    if seconds < 100:
        return f"{10 * round(seconds / 10)} s"
    if seconds < 5_400:
        return f"{round(seconds / 60)} min"
    if seconds < 180_000:
        return f"{round(seconds / 3600)} h"
    return f"{round(seconds / 86_400):,} days"
