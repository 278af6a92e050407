"""What the runner itself costs: a study whose points do nothing, filed one by one.

    python -m hrsnn_brian.studies.benchmarks.overhead_benchmark [--points 1000] [--jobs 2]

Seconds include the start of the workers; memory is that of this process and of a worker.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from hrsnn_brian.runs.runner import plan_study, run_study
from hrsnn_brian.runs.study import load_study

STUDY = """
from hrsnn_brian.runs.study import Study

STUDY = Study("nothing", "no work at all", lambda options, seed: [{"seed": seed + k} for k in
              range(options["points"])], lambda point, engine: [point], uses_engine=False,
              presets={"quick": {"points": 1000}})
"""


def measure(points: int, jobs: int, folder: Path) -> None:
    """Run so many points and print what that took."""
    (folder / "nothing.py").write_text(STUDY)
    study = load_study(str(folder / "nothing.py"))
    start = time.monotonic()
    found = run_study(
        plan_study(study, overrides=[f"points={points}"]), jobs=jobs, out=folder / "r"
    )
    took = time.monotonic() - start
    files = list((folder / "r" / "points").glob("*.json"))
    worker = max(json.loads(file.read_text())["peak_memory"] for file in files) / 1e6
    main = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    each = 1e3 * took / points
    print(f"{len(found.rows)} points, {jobs} jobs: {took:.1f} s, {each:.1f} ms each; ", end="")
    print(f"main process {main:.0f} MB, worker {worker:.0f} MB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(args.points, args.jobs, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
