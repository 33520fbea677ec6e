"""The cases of the training benchmark: who trains what, and the bars."""

from typing import Any, NamedTuple

from benchmarks import training_bars as bars

# CIFAR-10's study: 7 methods with 3 seeds, 6 budgets.
LISTS, BUDGETS = 21, [10, 20, 30, 40, 50, 60]


class Contender(NamedTuple):
    """Work by name (`benchmarks.training_worker`) with its options."""

    name: str
    work: str
    options: dict[str, Any]


class Case(NamedTuple):
    """What is measured side by side.

    Attributes:
      name: for `--only`.
      about: what it is, for the table.
      contenders: each in a process of its own, in turn.
      bars: judged from all results.
      rounds: how often each gets its turn.
      repeats: most timed calls a turn.
      timeout: seconds after which a contender is stopped; that is a result too.
    """

    name: str
    about: str
    contenders: tuple[Contender, ...]
    bars: tuple[bars.Bar, ...]
    rounds: int = 1
    repeats: int = 3
    timeout: float = 600.0


def all_cases(*, accelerator: bool, quick: bool) -> list[Case]:
    """The cases for a kind of machine.

    Args:
      accelerator: whether JAX has something better than a CPU.
      quick: everything small, to see that it runs: its figures mean nothing.
    """
    cases = [
        _single("single", "reference", accelerator, quick, floor=0.7),
        _single("single_cifar", "cifar", accelerator, quick, floor=None),
        _probe_study(quick),
        _supervised_replicates(accelerator, quick),
        _probe_replicates(quick),
        _flexmatch(accelerator, quick),
    ]
    return [*cases, _fig2_study(quick)] if accelerator else cases


def _single(
    name: str, stem: str, accelerator: bool, quick: bool, floor: float | None
) -> Case:
    """One run of framework (i) against the same network in PyTorch."""
    width = 8 if quick else 64
    steps = 2 if quick else 300 if accelerator else 15
    if stem == "cifar" and not accelerator:
        steps = max(2, steps // 4)
    ours = _supervised({"width": width, "stem": stem, "epochs": steps}, "auto", 1, 10)
    rivals = tuple(
        Contender(
            f"torch/{stem}" + "/channels_last" * last,
            "torch_resnet",
            {
                "width": width,
                "stem": stem,
                "batch": 100,
                "steps": steps,
                "channels_last": last,
            },
        )
        for last in (False, True)
    )
    names = tuple(rival.name for rival in rivals)
    mine = f"jaxsel/{stem}"
    return Case(
        name,
        f"one ResNet-18 of width {width}, stem {stem}, batches of 100, {steps} steps",
        (Contender(mine, "replicates", ours), *rivals),
        (bars.as_fast(mine, names, floor), bars.same_network((mine, *names))),
        rounds=1 if quick or floor is None else 2,
        repeats=2,
    )


def _probe_study(quick: bool) -> Case:
    """The linear probe's study, in one call and a run at a time."""
    options: dict[str, Any] = {
        "framework": "linear_probe",
        "settings": {"epochs": 20 if quick else 400},
        "mode": "auto",
        "lists": 2 if quick else LISTS,
        "budgets": BUDGETS,
        "task": {
            "train": 1000 if quick else 50_000,
            "test": 500 if quick else 10_000,
            "size": 512,
            "classes": 10,
        },
    }
    alone = {**options, "width": 1, "limit_seconds": 120.0}
    whole, single = "jaxsel/one_call", "jaxsel/one_at_a_time"
    return Case(
        "probe_study",
        f"{options['lists']}×6 linear probes, {options['settings']['epochs']} epochs, "
        "512 features",
        (
            Contender(whole, "replicates", options),
            Contender(single, "replicates", alone),
        ),
        (
            bars.study_within(whole, 30),
            bars.as_fast(whole, (single,), None),
            bars.same_accuracies(whole, single, 0.005),
        ),
        rounds=1 if quick else 2,
    )


def _supervised_replicates(accelerator: bool, quick: bool) -> Case:
    """Eight narrow runs, in every way: what the defaults are chosen by."""
    epochs = 1 if quick else 20 if accelerator else 3
    settings = {"width": 4 if quick else 16, "epochs": epochs}
    ways = [(m, how) for m in ("vmap", "map") for how in ("matmul", "conv")]
    ways += [("chunks", "auto")]
    contenders = tuple(
        Contender(
            f"{mode}/{lowering}",
            "replicates",
            _supervised({**settings, "lowering": lowering}, mode, 8, 10, together=4),
        )
        for mode, lowering in ways
    )
    return Case(
        "replicates",
        f"8 ResNet-18 of width {settings['width']}, batches of 100, {epochs} epochs",
        contenders,
        (bars.well_chosen(1.15),),
        repeats=1 if quick else 3,
        # Convolutions in a loop of a CPU may take minutes: enough to rule them out.
        timeout=300.0,
    )


def _probe_replicates(quick: bool) -> Case:
    options: dict[str, Any] = {
        "framework": "linear_probe",
        "settings": {"epochs": 20 if quick else 400},
        "lists": 3,
        "budgets": BUDGETS,
        "task": {"train": 2000, "test": 1000, "size": 512, "classes": 10},
    }
    contenders = tuple(
        Contender(mode, "replicates", {**options, "mode": mode, "together": 6})
        for mode in ("vmap", "map", "chunks")
    )
    return Case(
        "probe_replicates",
        f"18 linear probes, {options['settings']['epochs']} epochs, 512 features",
        contenders,
        (bars.well_chosen(1.15),),
    )


def _flexmatch(accelerator: bool, quick: bool) -> Case:
    """Iterations a second: the batch of `:semi_quick`, or the paper's and WRN-28-2."""
    if not accelerator or quick:
        settings = {
            "depth": 10,
            "widen": 1,
            "labelled_batch": 16,
            "unlabelled_ratio": 2,
            "average_decay": 0.98,
        }
        steps, pool = (2, 200) if quick else (50, 10_000)
        options = {"settings": settings, "steps": steps, "pool": pool}
        small = Contender("WRN-10-1", "flexmatch", options)
        return Case("flexmatch", "WRN-10-1, 16 + 2×32 images a step", (small,), ())
    names = {"float32": "WRN-28-2/float32", "bfloat16": "WRN-28-2/bfloat16"}
    contenders = tuple(
        Contender(
            name,
            "flexmatch",
            {
                "settings": {"depth": 28, "widen": 2, "dtype": dtype},
                "steps": 200,
                "pool": 50_000,
            },
        )
        for dtype, name in names.items()
    )
    goals = tuple(bars.iterations(name, 150) for name in names.values())
    return Case("flexmatch", "WRN-28-2, 64 + 2×448 images a step", contenders, goals)


def _fig2_study(quick: bool) -> Case:
    """The supervised study of Fig. 2 of Bar & Giryes, arXiv 2406.01086."""
    settings = {"epochs": 2 if quick else 200}
    test = 500 if quick else 10_000
    contenders = tuple(
        Contender(
            f"jaxsel/{mode}",
            "replicates",
            {
                **_supervised(settings, mode, LISTS, test, together=42),
                "budgets": BUDGETS,
            },
        )
        for mode in ("auto", "chunks")
    )
    return Case(
        "fig2_study",
        f"{LISTS * len(BUDGETS)} ResNet-18 of width 64, {settings['epochs']} epochs",
        contenders,
        (bars.study_within("jaxsel/auto", 120),),
        repeats=1,
    )


def _supervised(
    settings: dict[str, Any], mode: str, lists: int, test: int, together: int = 8
) -> dict[str, Any]:
    """Options of framework (i) on 100 labels; `test` images are few on purpose."""
    return {
        "framework": "supervised",
        "settings": settings,
        "mode": mode,
        "lists": lists,
        "budgets": [100],
        "task": {"train": 2000, "test": test, "size": 32, "classes": 10},
        "together": together,
    }
