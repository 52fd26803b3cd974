"""Run a task of this checkout in its own `.venv`, which is made and filled when needed.

    python .ci/bootstrap.py demo        cut out the example pictures into ./demo
    python .ci/bootstrap.py test        formatting, lint, types and every fast test
    python .ci/bootstrap.py test-all    the same with the slow tests
    python .ci/bootstrap.py lint        formatting, lint and types only
    python .ci/bootstrap.py format      rewrite the sources in the house format

Standard library only. `PYTHON` names another interpreter to make `.venv` with.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PROGRAMS = VENV / ("Scripts" if os.name == "nt" else "bin")
STAMP = VENV / "installed.json"  # what was installed last, so that it is not done again
SOURCES = ("requirements.txt", "tests/constraints.txt", "pyproject.toml")
LINT = (["ruff", "format", "--check", "."], ["ruff", "check", "."], ["mypy", "-p", "birefnet"])
TASKS: dict[str, tuple[str, tuple[list[str], ...]]] = {
    # task: (extra to install, commands; all of them run, even when an earlier one complains)
    "demo": ("", (["python", "-m", "birefnet", "demo"],)),
    "test": ("test", (*LINT, ["pytest", "-m", "not slow"])),
    "test-all": ("test", (*LINT, ["pytest"])),
    "lint": ("test", LINT),
    "format": ("test", (["ruff", "format", "."], ["ruff", "check", "--fix", "."])),
}


def program(name: str) -> str:
    """The path of a program inside `.venv`."""
    return str(PROGRAMS / (f"{name}.exe" if os.name == "nt" else name))


def read_stamp() -> dict[str, str]:
    """What was installed, and from where; empty when unknown."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def make_environment() -> None:
    """Create `.venv` when it is missing, unfinished or was moved with the checkout."""
    moved = read_stamp().get("root", str(ROOT)) != str(ROOT)
    if Path(program("python")).exists() and not moved:
        return
    wanted = os.environ.get("PYTHON") or sys.executable
    python = shutil.which(wanted)
    if python is None:
        sys.exit(f"PYTHON names {wanted!r}, which is not a program here; unset it or correct it.")
    print(f"Creating {VENV.name} with {python}", flush=True)
    subprocess.run([python, "-m", "venv", *(["--clear"] if moved else []), VENV], check=True)


def install(extra: str) -> None:
    """Install the project and one extra into `.venv`, unless that has been done already."""
    digest = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in SOURCES)).hexdigest()
    stamp = read_stamp()
    if stamp.get("digest") == digest and stamp.get("extra") in (extra, "test"):
        return
    print("Installing what is missing (PyTorch alone can be several gigabytes)", flush=True)
    project = f".[{extra}]" if extra else "."
    pip = [program("python"), "-m", "pip", "install", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", SOURCES[1], "-e", project], cwd=ROOT, check=True)
    new = {"digest": digest, "extra": extra, "root": str(ROOT)}
    STAMP.write_text(json.dumps(new), encoding="utf-8")


def main() -> int:
    """Run the task named on the command line; the first exit status that is not 0, else 0."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=TASKS)
    extra, commands = TASKS[parser.parse_args().task]
    if sys.version_info < (3, 10):
        sys.exit(f"Python 3.10 or newer is required, this is {sys.version.split()[0]}.")
    status = 0
    try:
        make_environment()
        install(extra)
        for name, *arguments in commands:
            done = subprocess.run([program(name), *arguments], cwd=ROOT, check=False)
            if done.returncode < 0:
                print(f"{name} was ended by signal {-done.returncode}", file=sys.stderr)
            status = status or done.returncode
    except subprocess.CalledProcessError as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
