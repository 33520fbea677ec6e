"""Numbers in words: estimates, intervals and comparisons as a person reads them."""

from collections.abc import Sequence

from jaxsel.evaluation.statistics import Estimate, PairedDifference, Setting


def percent(result: Estimate, *, with_n: bool = False) -> str:
    """A fraction's estimate in per cent, `mean ± standard error`.

    A single seed has no standard error and says so.

    >>> percent(Estimate(0.5432, 0.0121, 3)), percent(Estimate(0.5, None, 1))
    ('54.3 ± 1.2', '50.0 (n=1)')
    """
    text = f"{100 * result.mean:.1f}"
    if result.standard_error is not None:
        text += f" ± {100 * result.standard_error:.1f}"
    if with_n or result.n == 1:
        text += f" (n={result.n})"
    return text


def points(difference: PairedDifference) -> str:
    """A signed difference in percentage points, with its half width if it has one.

    Zero has no sign, and minus is the minus sign.
    """
    text = f"{100 * difference.mean:+.1f}".replace("-", "−")
    if float(f"{100 * difference.mean:.1f}") == 0:
        text = "0.0"
    if difference.half_width is not None:
        text += f" ± {100 * difference.half_width:.1f}"
    return text


def interval(difference: PairedDifference) -> str:
    """The ends of the interval in percentage points, or `n=1`."""
    if difference.low is None or difference.high is None:
        return "n=1"
    ends = (f"{100 * end:+.1f}" for end in (difference.low, difference.high))
    return "[{}, {}]".format(*ends).replace("-", "−")


def level(difference: PairedDifference) -> str:
    """The coverage of the interval: `95 %`."""
    return f"{100 * difference.level:g} %"


def labels(budgets: Sequence[int]) -> str:
    """Which budgets a difference speaks of.

    >>> labels((20,)), labels((10, 20, 40))
    ('20 labels', '10 to 40 labels')
    """
    if len(budgets) == 1:
        return f"{budgets[0]:,} label{'s' if budgets[0] > 1 else ''}"
    return f"{budgets[0]:,} to {budgets[-1]:,} labels"


def labels_cell(budgets: Sequence[int]) -> str:
    """Which budgets a row of a table speaks of.

    >>> labels_cell((1000,)), labels_cell((10, 20, 40))
    ('1,000', 'all 3')
    """
    return f"{budgets[0]:,}" if len(budgets) == 1 else f"all {len(budgets)}"


def verdict(difference: PairedDifference) -> str:
    """One word for the table: `better`, `worse` or `not resolved`."""
    if not difference.resolved:
        return "not resolved"
    return "better" if difference.mean > 0 else "worse"


def sentence(difference: PairedDifference) -> str:
    """One comparison as a sentence, claiming no more than its interval does.

    >>> where = Setting("digits", "raw", "scratch")
    >>> sentence(PairedDifference(where, "norm", "random", (20,), .012, .008, 3, .95))
    'norm beats random by 1.2 ± 0.8 points at 20 labels (95 % interval, 3 seeds).'
    """
    method, baseline = difference.method, difference.baseline
    where = labels(difference.budgets)
    if difference.half_width is None:
        return (
            f"{method} against {baseline} at {where}: {points(difference)} points "
            "in a single seed (n=1), so no interval and nothing resolved."
        )
    over = f", {len(difference.budgets)} budgets" if len(difference.budgets) > 1 else ""
    within = f"({level(difference)} interval, {difference.n} seeds{over})"
    if not difference.resolved:
        return (
            f"{method} against {baseline} is not resolved at {where}: "
            f"{points(difference)} points {within}."
        )
    verb = "beats" if difference.mean > 0 else "trails"
    size = f"{100 * abs(difference.mean):.1f} ± {100 * difference.half_width:.1f}"
    return f"{method} {verb} {baseline} by {size} points at {where} {within}."


def setting_name(setting: Setting, among: Sequence[Setting]) -> str:
    """The framework, and of data set and features whatever differs among settings.

    >>> raw, net = Setting("digits", "raw", "probe"), Setting("digits", "net", "probe")
    >>> setting_name(raw, [raw]), setting_name(raw, [raw, net])
    ('probe', 'probe, raw features')
    """
    parts = [setting.framework]
    if len({other.features for other in among}) > 1:
        parts.append(f"{setting.features} features")
    if len({other.dataset for other in among}) > 1:
        parts.append(setting.dataset)
    return ", ".join(parts)
