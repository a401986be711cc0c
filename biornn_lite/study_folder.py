"""What a study keeps in its folder: a lock, what was trained, which rows are whole, and weights of networks."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from filelock import FileLock, Timeout

from .errors import InputError
from .network import Networks, RecurrentNetworks, networks_of
from .plumbing.arrays import first_line, read_npz, write_npz
from .plumbing.files import read_text, written_atomically
from .plumbing.objects import name_of
from .results import (
    CURVES_FILE,
    KEY,
    NETWORKS_FILE,
    Origin,
    Results,
    find_results,
    no_results,
    read_results,
)

if TYPE_CHECKING:
    from .study import Study


_WRITING: set[Path] = set()
"""Folders that this process currently writes to."""


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Lock a folder against other studies. The folder is created if it does not exist.

    The lock is released when the block ends, also after an error: a notebook keeps running after an error.
    """
    shown = first_line(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = out.resolve()
        if folder in _WRITING:
            raise InputError(
                f"{shown}: this Python process is already writing here, from another thread or an outer call; "
                "wait for it or choose another folder"
            )
        lock = FileLock(folder / ".lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(f"{shown}: another study is writing here; wait for it or choose another folder") from None
    except (OSError, NotImplementedError) as error:
        why = first_line(getattr(error, "strerror", None) or error)
        raise InputError(f"{shown}: cannot be written to ({why}); choose another folder") from None
    _WRITING.add(folder)
    try:
        yield
    finally:
        _WRITING.discard(folder)
        lock.release(force=True)


def network_file(out: str | Path, variant: str, task: str, run: int) -> Path:
    """Return the file for the weights of one network; its name uses only letters that every system allows."""
    digest = hashlib.sha256(f"{variant}\0{task}\0{run}".encode()).hexdigest()[:8]
    spelt = variant.replace("*", "-star").replace("!", "-bang")
    shown = "_".join(re.sub(r"[^A-Za-z0-9-]+", "-", text)[:40] for text in (spelt, task, str(run)))
    return Path(out) / "networks" / f"{shown}_{digest}.npz"


def write_network(out: Path, network: tuple[str, str, int], state: Mapping[str, np.ndarray]) -> None:
    """Write the weights and biases of one network."""
    path = network_file(out, *network)
    path.parent.mkdir(exist_ok=True)
    with written_atomically(path) as temporary:
        write_npz(temporary, state)


def read_network(
    out: str | Path, variant: str, task: str, run: int, architecture: Callable[..., Networks] = RecurrentNetworks
) -> Networks:
    """Read one network saved by :func:`biornn_lite.study.run_study`; the result has one run.

    Parameters
    ----------
    out : path
        Folder of the study.
    variant, task, run : str, str, int
    architecture : callable
        The architecture of the study.

    Raises
    ------
    InputError
        If the network was not saved, its file is damaged, or the study has another architecture.
    """
    return read_network_file(network_file(out, variant, task, run), architecture)


def read_network_file(path: str | Path, architecture: Callable[..., Networks] = RecurrentNetworks) -> Networks:
    """Read one network from its file in the folder ``networks`` of a study, as :func:`read_network` does."""
    path = Path(path)
    if not path.exists():
        raise InputError(
            f"{first_line(path)}: no such file; run_study(…, keep_networks=True) keeps networks, and "
            "study.network(variant, task, run) trains one again"
        )
    out = path.absolute().parent.parent
    noted = noted_in(out / "study.json") or {}
    theirs = str(noted.get("architecture", name_of(RecurrentNetworks))).split(" ")[0]  # without the digest
    if theirs != name_of(architecture):
        raise InputError(
            f"{first_line(out)}: its networks are {first_line(theirs)}, not {name_of(architecture)}; give the class "
            "to read_network, as architecture="
        )
    return networks_of([read_npz(path, "network")], architecture, noted.get("sign", "free"))


def read_finished_network(path: str | Path) -> Networks:
    """Read a network of the published kind from its file in the folder ``networks`` of a study.

    Raises
    ------
    InputError
        As :func:`read_network`; also if the network diverged, or the study has no row that would say whether it did.
    """
    path, out = Path(path), Path(path).absolute().parent.parent
    network = read_network_file(path)
    rows = read_results(out).networks
    same = [network_file(out, *key).name == path.name for key in zip(*(rows[key] for key in KEY), strict=True)]
    if not any(same):
        raise InputError(f"{first_line(path)}: the study in {first_line(out)} has no row of a network of this name")
    if (rows["status"][same] == "diverged").any():
        raise InputError(f"{first_line(path)}: this network diverged; take another run")
    return network


def origin_of(study: Study, tasks: Mapping[str, str], variants: Mapping[str, str]) -> Origin:
    """Return the properties that all rows in a folder of this study must have.

    `tasks` and `variants` hold digests of the allowed tasks and variants.
    """
    common = {key: value for key, value in study.configuration.items() if key not in GROWING}
    text = json.dumps(common, sort_keys=True, default=plain_number)
    checks = {name: hashlib.sha256(f"{text} {name} {task}".encode()).hexdigest()[:8] for name, task in tasks.items()}
    same = {"field": study.field.name, "protocol": study.protocol.name, "sign": study.sign}
    same |= asdict(study.protocol) | asdict(study.settings)
    return Origin(same, study.seed, study.settings.epochs, checks, variants)


def rows_done(out: Path, origin: Origin) -> tuple[Results, bool]:
    """Return the networks in a folder, and whether its files must be rewritten.

    Before any content is dropped, the files are copied unchanged, and the user gets a message of one line.
    """
    files = [out / NETWORKS_FILE, out / CURVES_FILE]
    if not files[0].exists():
        if not files[1].exists():
            return no_results(), False
        aside = _set_aside(files[1])
        files[1].unlink()
        say(f"{out / CURVES_FILE}: there is no {NETWORKS_FILE} to it; set aside as {aside}")
        return no_results(), False
    found = find_results(out, origin)
    if found.faults or found.more:
        aside = " and ".join(_set_aside(path) for path in files if path.exists())
        if found.faults:
            name, why = found.faults[0]
            count = f"{len(found.faults)} of {found.rows} networks are not as this study wrote them"
            what, then = f"{out / name}: {count if found.rows else 'no network can be read'} ({why})", (
                "they are computed again" if len(found.results.networks) else "starting again"
            )  # fmt: skip
            say(f"{what}; set aside as {aside}, {then}")
        else:
            say(f"{out}: holds columns that a study does not keep ({', '.join(found.more)}); kept in {aside}")
    elif found.cut:
        say(f"{files[0]}: its last row was cut off; that network is computed again")
    return found.results, bool(found.faults or found.more or found.cut)


def say(what: str) -> None:
    """Show the user a message of one line."""
    print("".join(letter if letter.isprintable() else "?" for letter in what), file=sys.stderr)


GROWING = ("tasks", "variants")
"""Entries that may grow with every study in a folder: a digest for each name."""


def check_configuration(study: Study, out: Path, device: str) -> tuple[dict[str, str], dict[str, str]]:
    """Compare the study with that in `out`, save new entries, and return the digests of tasks and variants."""
    path = out / "study.json"
    mine = study.configuration
    here = _machine(device)
    theirs = noted_in(path)
    if theirs is None:
        if (out / NETWORKS_FILE).exists():
            raise InputError(f"{first_line(out)}: holds {NETWORKS_FILE} without study.json; choose another --out")
        noted = mine | {"made_on": [here]}
    else:
        known = {what: theirs.pop(what, {}) for what in GROWING}
        places = theirs.pop("made_on", [])
        places = places if isinstance(places, list) else []
        if not all(isinstance(digests, dict) for digests in known.values()):
            raise _unreadable(path)
        for key in [key for key in mine | theirs if key not in GROWING]:
            if theirs.get(key) != mine.get(key):
                raise InputError(
                    f"{first_line(out)}: holds results of another configuration: {first_line(key)} is "
                    f"{first_line(theirs.get(key))} there and {first_line(mine.get(key))} here; choose another --out"
                )
        for what, digests in known.items():
            for name, digest in mine[what].items():
                if digests.setdefault(name, digest) != digest:
                    raise InputError(
                        f"{first_line(out)}: holds results of another configuration: the {what[:-1]} "
                        f"{first_line(name)} is another one there than here; choose another --out"
                    )
        if places and here not in places:
            say(
                f"{first_line(out)}: begun on another machine ({_in_words(places[-1])}), goes on here "
                f"({_in_words(here)}); last digits may differ between rows"
            )
        noted = theirs | known | {"made_on": places + [here] * (here not in places)}
    if noted != noted_in(path):
        with written_atomically(path) as temporary:
            temporary.write_text(json.dumps(noted, indent=1, default=plain_number) + "\n", encoding="utf-8")
    return noted["tasks"], noted["variants"]


def noted_in(path: Path) -> dict[str, Any] | None:
    """Read ``study.json``; return None if it does not exist."""
    try:
        noted = json.loads(read_text(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"{first_line(path)}: cannot be read ({first_line(error.strerror)}); make it readable or choose another "
            "--out"
        ) from None
    except (ValueError, RecursionError):
        raise _unreadable(path) from None
    if not isinstance(noted, dict):
        raise _unreadable(path)
    return noted


def plain_number(number: np.generic) -> float | int:
    """Convert a NumPy number to a Python number for JSON."""
    return number.item()


def _unreadable(path: Path) -> InputError:
    return InputError(
        f"{first_line(path)}: unreadable, so its results cannot be told from these; choose another --out"
    )


def _machine(device: str) -> dict[str, str]:
    """Describe the parts of this machine on which the last digits of results may depend."""
    return {
        "processor": _processor(),
        "torch": torch.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "device": device if device == "cpu" else f"{device} ({torch.cuda.get_device_name(device)})",
    }


@cache
def _processor() -> str:
    """Name the processor. On Linux, Python knows only its type, so the name comes from ``/proc/cpuinfo``."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:  # noqa: PTH123
            for line in lines:
                if line.startswith("model name"):
                    return first_line(line.partition(":")[2])
    except OSError:  # another system
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()


def _in_words(machine: object) -> str:
    values = machine.values() if isinstance(machine, dict) else [machine]
    return ", ".join(first_line(value) for value in values)


def _set_aside(path: Path) -> str:
    """Copy a file to a free name in the same folder, and return that name."""
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    try:
        shutil.copyfile(path, aside)
    except OSError as error:
        raise InputError(
            f"{first_line(path)}: cannot be set aside as {aside.name} ({first_line(error.strerror)}); make room or "
            "choose another --out"
        ) from None
    return aside.name
