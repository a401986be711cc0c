"""The command ``python -m biornn_lite``: the same work without notebooks, for clusters and for tests."""

from __future__ import annotations

# Each command imports its own modules, so that help appears fast and Ctrl-C works from the start.
import argparse
import io
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn, TextIO

from .errors import FieldWarning, InputError
from .variants import PROTOCOLS, PUBLISHED_VARIANTS, Variant, describe_choices, get_protocol

LARGEST = {"runs": 100_000, "epochs": 100_000, "jobs": 1024, "seed": 2**63 - 1, "neurons": 100_000}
"""Larger numbers are treated as mistakes."""

LONGEST = 2000
"""Maximum number of letters in a line; the middle of a longer line is left out."""


class _Parser(argparse.ArgumentParser):
    """A parser with error messages of one line."""

    def error(self, message: str) -> NoReturn:
        _remark(f"{message}; see {self.prog} --help")
        self.exit(2)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        sys.stdout.flush()  # a closed stream is handled here
        super().exit(status, message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m biornn_lite", description=__doc__)
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
        default="synthetic_column",
        help="synthetic_column, a folder in the released layout, a saved field, or a released name to fetch",
    )
    add(
        "--variants",
        nargs="+",
        default=PUBLISHED_VARIANTS,
        metavar="V",
        help="default: the eleven published ones; MODULE:OBJECT takes a Variant of your own from a Python file here",
    )
    add(
        "--tasks",
        nargs="+",
        metavar="T",
        help="default: one_choice_inference go_nogo perceptual_decision_making",
    )
    add("--runs", type=int, default=20, help="networks per variant and task (default 20)")
    add("--epochs", type=int, help="default 10")
    add("--protocol", default="published", help=f"one of {', '.join(PROTOCOLS)} (default published)")
    add(
        "--set",
        action="append",
        default=[],
        metavar="CHOICE=VALUE",
        help="change one choice of the protocol, or one setting of the training such as input_noise=0",
    )
    add("--keep-networks", action="store_true", help="keep all weights of every network in OUT/networks")
    add("--sign", default="free", help="free or positive: whether recurrent weights may be negative")
    add("--device", default="auto", choices=("auto", "cpu", "cuda"))
    add("--neurons", type=int, help="train on a random subset of this many neurons")
    add("--seed", type=int, default=0, help="of the study; each run derives its own from it (default 0)")
    add("--jobs", type=int, help="processes (default: one per processor)")
    add("--out", default="results", type=Path, help="folder to write to and resume from (default results)")

    export = commands.add_parser("export", help="write one kept network as a file that runs without this library")
    add = export.add_argument
    add("network", type=Path, help="a file in the folder networks of a study, as --keep-networks writes")
    add("out", type=Path, help="the file to write; its ending says what: .onnx, or .npz for NumPy alone")
    add("--step", action="store_true", help="one step at a time, where the caller keeps the state (.onnx)")
    add("--int8", action="store_true", help="weights and products of 8 bits (.onnx)")
    add("--sparse", action="store_true", help="leave out recurrent weights of 0, as in a pruned network (.npz)")
    return parser


def _fields() -> None:
    from .datasets import known_fields

    rows = [(name, str(neurons), kind, "yes" if here else "no") for name, neurons, kind, here in known_fields()]
    rows = [("field", "neurons", "kind", "here"), *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    _show("\n".join("  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows))
    _show("\nReleased connectomes are not in the order of the neurons; they are put in it when they are read.")


def _choices() -> None:
    for choice in describe_choices():
        _show(f"{choice['choice']}: {choice['allowed']}")
        _show(f"    published {choice['published']}, sound {choice['sound']}. {choice['meaning']}")


def _fetch(arguments: argparse.Namespace) -> None:
    if bool(arguments.fields) == arguments.all:
        raise InputError("name the fields to fetch, or give --all; `python -m biornn_lite fields` lists them")
    from .datasets import download_all, released_fields

    folder = download_all(None if arguments.all else arguments.fields)
    for name in arguments.fields or released_fields().index:
        _show(str(folder / name))


def _replicate(arguments: argparse.Namespace) -> None:
    known = asdict(get_protocol(arguments.protocol))
    protocol = get_protocol(arguments.protocol).choose(s for s in arguments.set if s.partition("=")[0] in known)
    for what, most in LARGEST.items():
        value = getattr(arguments, what)
        if value is not None and value > most:
            raise InputError(f"{what} is {value}; it must be at most {most:,}")
    if arguments.jobs is not None and arguments.jobs < 1:
        raise InputError(f"jobs is {arguments.jobs}; it must be at least 1")

    import torch

    from .datasets import fetch_field
    from .plumbing.files import written_atomically
    from .results import format_table
    from .seeds import generator
    from .study import Study, run_study
    from .tasks import TASKS

    field = fetch_field(arguments.field)
    label = _one_line(field.label, 200)
    if field.released_rows is not None and not field.synthetic:
        _remark(f"{label}: its connectome was put in the order of the neurons", prefix="")
    if arguments.neurons is not None:
        field = field.subset(arguments.neurons, generator(max(arguments.seed, 0), "subset of neurons"))
        label = _one_line(field.label, 200)
    device = arguments.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    elif device == "cuda" and not torch.cuda.is_available():
        raise InputError("device is cuda, but PyTorch finds none here; use --device cpu")
    study = Study(
        field=field,
        variants=[_variant(name) for name in arguments.variants],
        tasks=tuple(TASKS if arguments.tasks is None else arguments.tasks),
        runs=arguments.runs,
        seed=arguments.seed,
        protocol=protocol,
        sign=arguments.sign,
        settings=_settings([s for s in arguments.set if s.partition("=")[0] not in known], arguments.epochs),
    )
    _remark(
        f"{label}: {field.neurons} neurons, {len(study.networks)} networks; "
        f"writing to {arguments.out}, stop and start again at will",
        prefix="",
    )
    results = run_study(study, arguments.out, arguments.jobs, device, keep_networks=arguments.keep_networks).networks
    table = "\n".join(map(_one_line, format_table(results, label).split("\n")))
    _show(table)
    with written_atomically(arguments.out / "table.txt") as temporary:
        temporary.write_text(table + "\n", encoding="utf-8")
    try:
        picture = _picture(results, field.label)
    except Exception as error:  # drawing may raise any exception; the results do not depend on it
        _remark(
            f"accuracy.png could not be drawn ({_first_line(error)}); the table and all rows are in {arguments.out}"
        )
        return
    with written_atomically(arguments.out / "accuracy.png") as temporary:
        temporary.write_bytes(picture)


def _export(arguments: argparse.Namespace) -> None:
    out = arguments.out
    if out.suffix not in (".onnx", ".npz"):
        raise InputError(f"{out}: its name must end in .onnx or .npz")
    for suffix, names in ((".onnx", ("step", "int8")), (".npz", ("sparse",))):
        options = [f"--{name}" for name in names if getattr(arguments, name)]
        if options and out.suffix != suffix:
            raise InputError(f"{out}: with {' and '.join(options)}, its name must end in {suffix}")

    from .export import cost, export_npz, export_onnx, export_step_onnx, quantized
    from .study_folder import read_finished_network

    network = read_finished_network(arguments.network)
    spent = cost(network)
    if out.suffix == ".npz":
        export_npz(network, out, arguments.sparse)
    else:
        write = export_step_onnx if arguments.step else export_onnx
        with TemporaryDirectory() as folder:
            whole = Path(folder) / "network.onnx" if arguments.int8 else out
            write(network, whole)
            if arguments.int8:
                quantized(whole, out)
    _, inputs, neurons = network.w_in.shape
    sizes = f"{inputs} inputs, {neurons} neurons, {network.w_out.shape[-1]} answers"
    work = spent.sparse_step if arguments.sparse else spent.step
    _show(f"{out}: {sizes}; {out.stat().st_size:,} bytes, {work:,} multiply-adds a step")


def _variant(name: str):
    """Return a value of ``--variants``: a known name unchanged, or an object from a user's module."""
    module, colon, thing = name.partition(":")
    if not colon:
        return name
    if "" not in sys.path:
        sys.path.insert(0, "")  # the current folder, which an installed command does not search
    try:
        found = getattr(import_module(module), thing)
    except (ImportError, AttributeError) as error:
        why = f"--variants {name}: {_first_line(error)}; MODULE:OBJECT names a Variant in a file MODULE.py here"
        raise InputError(why) from None
    if not isinstance(found, Variant):
        raise InputError(f"--variants {name}: it is a {type(found).__name__}; a biornn_lite.Variant is needed")
    return found


def _settings(chosen: list[str], epochs: int | None):
    """Return the training settings; each is given as ``name=value``."""
    from .training import Settings

    values = {} if epochs is None else {"epochs": epochs}
    kinds = asdict(Settings())
    for setting in chosen:
        name, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"setting {setting!r} is not of the form choice=value")
        if name not in kinds:
            choices = ", ".join([*asdict(get_protocol("published")), *kinds])
            raise InputError(f"no choice {name!r}; there are {choices}")
        try:
            values[name] = type(kinds[name])(value)
        except ValueError:
            kind = "a whole number" if isinstance(kinds[name], int) else "a number"
            raise InputError(f"{name} is {value!r}; it must be {kind}") from None
    return Settings(**values)


def _picture(results, label: str) -> bytes:
    """Draw the accuracies of a study."""
    import matplotlib

    matplotlib.use("Agg")
    from .figures.study import accuracy_figure

    picture = io.BytesIO()
    accuracy_figure(results, label).savefig(picture, dpi=150, format="png")
    return picture.getvalue()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, or 2 after an input error, which is shown in one line."""
    with (
        redirect_stdout(_Stream(sys.stdout, needed=True)),
        redirect_stderr(_Stream(sys.stderr)),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("always", FieldWarning)
        warnings.showwarning = _in_one_line
        return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    """Run one command; see :func:`main`."""
    try:
        arguments = _parser().parse_args(argv)
        if arguments.command == "fields":
            _fields()
        elif arguments.command == "fetch":
            _fetch(arguments)
        elif arguments.command == "choices":
            _choices()
        elif arguments.command == "export":
            _export(arguments)
        else:
            _replicate(arguments)
    except InputError as error:
        _remark(str(error))
        return 2
    except OSError as error:
        path = error.filename2 or error.filename
        _remark(
            f"{f'{path}: ' if path else ''}{error.strerror or _first_line(error)}; what was written before is kept, "
            "the same command goes on from there when this is mended"
        )
        return 2
    except KeyboardInterrupt:
        _remark("stopped; the same command goes on from here")
        return 130
    return 0


class _Stream:
    """A standard stream that never stops the program: unsupported letters become ``?``, and it may be closed.

    If the stream is `needed`, other failures, such as a full disk, remain errors.
    """

    def __init__(self, stream: TextIO | None, needed: bool = False) -> None:
        if stream is None:  # closed before Python started; a results file must not get its number
            silent = os.open(os.devnull, os.O_WRONLY)
            os.set_inheritable(silent, True)  # processes of a study do not have the stream either
            stream = os.fdopen(silent, "w", encoding="utf-8")
        if needed and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
        self._stream, self._needed = stream, needed

    def write(self, text: str) -> int:
        """Write a text; see the class."""
        self._attempt(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush the stream; see the class."""
        self._attempt(self._stream.flush)

    def _attempt(self, do) -> None:
        try:
            do()
        except OSError as error:
            with suppress(OSError):  # for a stream without a number, as in a notebook
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            if self._needed and not isinstance(error, BrokenPipeError):
                raise

    def __getattr__(self, name: str):
        return getattr(self._stream, name)


def _show(text: str) -> None:
    """Print the requested output."""
    print(text, flush=True)


def _remark(text: str, prefix: str = "biornn_lite: ") -> None:
    """Print a message of one line, separate from the results."""
    print(_one_line(prefix + text), file=sys.stderr, flush=True)


def _in_one_line(message: Warning | str, category: type[Warning], *where, **more) -> None:
    """Show a warning about a field as one line of this command, and other warnings with their origin."""
    if issubclass(category, FieldWarning):
        _remark(str(message))
    else:
        _remark(warnings.formatwarning(message, category, *where[:2], line="").strip(), prefix="")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _one_line(text: str, longest: int = LONGEST) -> str:
    """Show a text as one line without control characters; the middle of a long text is left out."""
    line = "".join(letter if letter.isprintable() else "?" for letter in text)
    half = longest // 2 - 1
    return line if len(line) <= longest else f"{line[:half]} … {line[-half + 1 :]}"


if __name__ == "__main__":
    sys.exit(main())
