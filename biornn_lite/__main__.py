"""The command ``python -m biornn_lite``: the same work without notebooks, for clusters and for tests."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import torch

from .datasets import EMBEDDED, download_all, fetch_field, list_fields, released_fields
from .errors import FieldWarning, InputError
from .files import written_atomically
from .plots import accuracy_figure
from .seeds import generator
from .study import Study, run_study
from .summary import format_table
from .tasks import TASKS
from .training import Settings
from .variants import PROTOCOLS, PUBLISHED_VARIANTS, describe_choices


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m biornn_lite", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fields", help="list the fields and which are here")
    commands.add_parser("choices", help="list the protocol's choices and what their values mean")

    fetch = commands.add_parser("fetch", help="download released fields, checked; what is here already is kept")
    fetch.add_argument("fields", nargs="*", metavar="FIELD", help="names such as 6_6_2")
    fetch.add_argument("--all", action="store_true", help="all 56")

    replicate = commands.add_parser(
        "replicate", help="train variants on tasks, write results.csv, curves.csv, table.txt and accuracy.png"
    )
    add = replicate.add_argument
    add(
        "--field",
        default=EMBEDDED,
        help="synthetic_column, a folder in the released layout, a saved field, or a released name to fetch",
    )
    add(
        "--variants",
        nargs="+",
        default=PUBLISHED_VARIANTS,
        metavar="V",
        help="default: the eleven published ones",
    )
    add("--tasks", nargs="+", default=tuple(TASKS), metavar="T", help=f"default: {' '.join(TASKS)}")
    add("--runs", type=int, default=20, help="networks per variant and task (default 20)")
    add("--epochs", type=int, default=Settings.epochs, help="default %(default)s")
    add("--protocol", default="published", help=f"one of {', '.join(PROTOCOLS)} (default published)")
    add("--set", action="append", default=[], metavar="CHOICE=VALUE", help="change one choice of the protocol")
    add("--sign", default="free", help="free or positive: whether recurrent weights may be negative")
    add("--device", default="auto", choices=("auto", "cpu", "cuda"))
    add("--neurons", type=int, help="train on a random subset of this many neurons")
    add("--seed", type=int, default=0, help="of the study; each run derives its own from it (default 0)")
    add("--jobs", type=int, help="processes (default: one per processor)")
    add("--out", default="results", type=Path, help="folder to write to and resume from (default results)")
    return parser


def _fetch(arguments: argparse.Namespace) -> None:
    if bool(arguments.fields) == arguments.all:
        raise InputError("name the fields to fetch, or give --all; `python -m biornn_lite fields` lists them")
    folder = download_all(None if arguments.all else arguments.fields)
    for name in arguments.fields or released_fields().index:
        print(folder / name)


def _replicate(arguments: argparse.Namespace) -> None:
    if arguments.protocol not in PROTOCOLS:
        raise InputError(f"no protocol {arguments.protocol!r}; there are {', '.join(PROTOCOLS)}")
    if arguments.jobs is not None and arguments.jobs < 1:
        raise InputError(f"jobs is {arguments.jobs}; it must be at least 1")
    protocol = PROTOCOLS[arguments.protocol].choose(arguments.set)
    field = fetch_field(arguments.field)
    if field.released_rows is not None and not field.synthetic:
        print(f"{field.label}: its connectome was put in the order of the neurons", file=sys.stderr)
    if arguments.neurons is not None:
        field = field.subset(arguments.neurons, generator(max(arguments.seed, 0), "subset of neurons"))
    device = arguments.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    elif device == "cuda" and not torch.cuda.is_available():
        raise InputError("device is cuda, but PyTorch finds none here; use --device cpu")
    study = Study(
        field=field,
        variants=tuple(arguments.variants),
        tasks=tuple(arguments.tasks),
        runs=arguments.runs,
        seed=arguments.seed,
        protocol=protocol,
        sign=arguments.sign,
        settings=Settings(epochs=arguments.epochs),
    )
    print(
        f"{field.label}: {field.neurons} neurons, {len(study.networks)} networks; "
        f"writing to {arguments.out}, stop and start again at will",
        file=sys.stderr,
    )
    results = run_study(study, arguments.out, arguments.jobs, device).networks
    table = format_table(results, field.label)
    with written_atomically(arguments.out / "table.txt") as temporary:
        temporary.write_text(table + "\n", encoding="utf-8")
    with written_atomically(arguments.out / "accuracy.png") as temporary:
        accuracy_figure(results, field.label).savefig(temporary, dpi=150, format="png")
    print(table)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, or 2 after an error in the input, which it says in one line."""
    arguments = _parser().parse_args(argv)
    matplotlib.use("Agg")
    with warnings.catch_warnings():
        warnings.simplefilter("always", FieldWarning)
        warnings.showwarning = _in_one_line
        return _run(arguments)


def _in_one_line(message: Warning | str, category: type[Warning], *where, **more) -> None:
    """Show a warning about a field as a line of this command, and others as Python would."""
    shown = f"biornn_lite: {message}\n" if issubclass(category, FieldWarning) else None
    sys.stderr.write(shown or warnings.formatwarning(message, category, *where[:2]))


def _run(arguments: argparse.Namespace) -> int:
    """Run one command; see :func:`main`."""
    try:
        if arguments.command == "fields":
            print(list_fields().replace({"here": {True: "yes", False: "no"}}).to_string(index=False))
            print(
                "\nReleased connectomes are not in the order of the neurons; they are put in it when they are read."
            )
        elif arguments.command == "fetch":
            _fetch(arguments)
        elif arguments.command == "choices":
            for choice in describe_choices():
                print(f"{choice['choice']}: {choice['allowed']}")
                print(f"    published {choice['published']}, sound {choice['sound']}. {choice['meaning']}")
        else:
            _replicate(arguments)
    except InputError as error:
        print(f"biornn_lite: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # such as into `head`, which has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("biornn_lite: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
