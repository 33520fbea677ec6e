"""The picture of the results: time against n, both axes logarithmic."""

import pathlib
import statistics

OURS = "jaxsel"


def draw(report: dict, path: pathlib.Path) -> None:
    """Two panels: jaxsel's methods, and each against its rivals.

    Args:
      report: what `benchmarks.selection` writes as JSON.
      path: a PNG file.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    curves = _curves(report)
    figure, axes = plt.subplots(1, 2, figsize=(12, 5.4), sharey=True)
    ours = {name: line for name, line in curves.items() if name.startswith(OURS)}
    _panel(axes[0], ours, "Selectors of jaxsel")
    claim = {
        name: line
        for name, line in curves.items()
        if not name.startswith(OURS) or name.endswith((":gram_schmidt", ":probcover"))
    }
    _panel(axes[1], claim, "Gram–Schmidt, ProbCover and the rivals")
    axes[0].set_ylabel("seconds, warm, without compilation")
    machine = report["machine"]
    shapes = {f"b = {c['budget']}, d = {c['d']}" for c in _curve_cases(report)}
    figure.suptitle(
        f"{', '.join(shapes)} on {machine['cores']} cores ({machine['backend']}, "
        f"{machine['xla_gflops']:.0f} GFLOP/s float32), commit {machine['commit']}",
        fontsize=10,
    )
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _curve_cases(report: dict) -> list[dict]:
    return [case for case in report["cases"] if case["family"] == "curve"]


def _curves(report: dict) -> dict[str, list[tuple[int, float]]]:
    """Points (n, seconds) of every contender of the curve cases."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for case in _curve_cases(report):
        for name, found in case["results"].items():
            if "seconds" in found:
                point = (case["n"], statistics.median(found["seconds"]))
                curves.setdefault(name, []).append(point)
    return curves


def _panel(axis, curves: dict[str, list[tuple[int, float]]], title: str) -> None:
    for name, points in sorted(curves.items()):
        kind, _, method = name.partition(":")
        label = {"jaxsel": f"jaxsel {method}", "baseline": f"NumPy {method}"}.get(
            kind, method.replace(".", " ")
        )
        style = "-" if kind == OURS else "--"
        width = 2.0 if kind == OURS else 1.2
        axis.plot(
            *zip(*points, strict=True), style, lw=width, marker="o", ms=3, label=label
        )
    axis.set(xscale="log", yscale="log", xlabel="rows n", title=title)
    axis.grid(True, which="both", lw=0.3)
    if curves:
        axis.legend(
            fontsize=7, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.13)
        )
