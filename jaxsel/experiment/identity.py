"""What makes two starts the same study: identity fields refuse, others join."""

from typing import Any

from jaxsel.errors import UserError

# Lists that may grow (or shrink: rows already there stay) from start to start.
EXTENDABLE = ("methods", "budgets", "seeds", "frameworks")


# Parts that gain entries when a start uses what no earlier one did.
_GROWING = ("selectors", "frameworks", "test_features")


def identity_of(
    resolved: dict[str, Any],
    train_features: dict[str, Any],
    test_features: dict[str, Any],
    *,
    fingerprint: str,
) -> dict[str, Any]:
    """The fields that a workdir keeps for life.

    A selector's options bind only those who use the selector, and a framework's
    settings only those who use it, so they are compared where both starts have them.

    Args:
      resolved: the resolved config, plain values.
      train_features: the identity of the features that selection sees.
      test_features: of those that a framework is tested on; empty where none is.
      fingerprint: of the training and test images.

    Returns:
      A nested dict: `data`, `features`, `initial_pool`, `selectors`, `frameworks`,
      `test_features`. The shapes of calls are not among them: `plan.json` keeps those
      of the runs that it has.
    """
    return {
        "data": {
            "name": resolved["data"]["name"],
            "holdout": resolved["data"]["holdout"],
            "fingerprint": fingerprint,
        },
        "features": train_features,
        "test_features": test_features,
        "initial_pool": resolved["initial_pool"],
        "selectors": {m: resolved["selectors"].get(m, {}) for m in resolved["methods"]},
        "frameworks": {f: resolved[f] for f in resolved["frameworks"]},
    }


def join_identities(
    workdir: str, old: dict[str, Any], new: dict[str, Any]
) -> dict[str, Any]:
    """The identity of a workdir after another start, or a refusal.

    Args:
      workdir: for the message.
      old: the identity in the manifest.
      new: the identity of this start.

    Returns:
      The old identity with new selectors, frameworks and test features added.

    Raises:
      UserError: a field differs; the message names the first one and both values.
    """
    for part in old:
        if part in new and part not in _GROWING:
            _refuse_difference(workdir, part, old[part], new.get(part))
    joined = dict(old)
    for part in _GROWING:
        for name in sorted(old[part].keys() & new[part].keys()):
            _refuse_difference(
                workdir, f"{part}.{name}", old[part][name], new[part][name]
            )
        joined[part] = {**old[part], **new[part]}
    return joined


def refuse_other_config(
    workdir: str, old: dict[str, Any], resolved: dict[str, Any]
) -> None:
    """Compares what a config alone says of a study, before data or features are read.

    Args:
      workdir: for the message.
      old: the identity in the manifest.
      resolved: the resolved config of this start.

    Raises:
      UserError: a field differs; the message names the first one and both values.
    """
    new = identity_of(resolved, resolved["features"], {}, fingerprint="")
    old = dict(old)
    trained = old["features"].get("simclr", {})
    for part in ("data", "features"):
        # Fingerprints and hashes are compared later, when the data have been read;
        # `weights` is a place in the config and a hash in the identity.
        shared = sorted((old[part].keys() & resolved[part].keys()) - {"weights"})
        old[part] = {field: old[part][field] for field in shared}
        new[part] = {field: resolved[part][field] for field in shared}
    if resolved["features"]["encoder"] == "simclr":
        # The encoder's training is compared before it is started.
        old["simclr"] = trained
        new["simclr"] = {field: resolved["simclr"][field] for field in trained}
    join_identities(workdir, old, new)


def _refuse_difference(workdir: str, name: str, old: Any, new: Any) -> None:
    if isinstance(old, dict) and isinstance(new, dict):
        for field in sorted(old.keys() | new.keys()):
            _refuse_difference(
                workdir, f"{name}.{field}", old.get(field), new.get(field)
            )
        return
    if old != new:
        raise UserError(
            f"expected {name} = {old!r} as the workdir {workdir} was made with, found "
            f"{new!r}: use that value, or another --workdir (nothing was changed)"
        )
