"""A contender in a process of its own: what is asked of it, what it answers.

Only the standard library is imported: a rival may live in another environment.
"""

import json
import os
import pathlib
import subprocess
import sys
import traceback
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parents[1]


def ask(
    python: str, module: str, question: dict, folder: pathlib.Path, timeout: float
) -> dict:
    """Runs `python -m module` on a question and returns its answer.

    Args:
      python: of the contender's environment.
      module: calls `answer`.
      question: what JSON can hold.
      folder: for the two files.
      timeout: seconds after which it is stopped; that is an answer too.

    Returns:
      The answer; `{"error": text}` where there is none.
    """
    request, response = folder / "request.json", folder / "response.json"
    response.unlink(missing_ok=True)
    request.write_text(json.dumps(question))
    try:
        done = subprocess.run(
            [python, "-m", module, str(request), str(response)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"took over {timeout:g} s"}
    if not response.exists():
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {"error": f"ended with status {done.returncode}: {last}"[:300]}
    return json.loads(response.read_text())


def answer(measure: Callable[[dict], dict]) -> None:
    """Answers the question that the command line names, with the load it met."""
    request, response = map(pathlib.Path, sys.argv[1:3])
    question = json.loads(request.read_text())
    load = os.getloadavg()[0]
    try:
        found = measure(question)
    except Exception as error:
        print(traceback.format_exc(), file=sys.stderr)
        found = {"error": f"{type(error).__name__}: {error}"[:300]}
    found["load"] = load
    response.write_text(json.dumps(found))
