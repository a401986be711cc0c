"""Texts and numbers of others, in panels, in figures and in the command: shown as they are, never obeyed."""

import errno
import io
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from matplotlib import cbook
from matplotlib.text import Text
from test_figures_panels import parts_of

from biornn_lite.__main__ import _parser, main
from biornn_lite.activity import field_from_events
from biornn_lite.datasets import EMBEDDED, load_field, read_released
from biornn_lite.errors import FieldWarning, InputError
from biornn_lite.exercises import Prediction
from biornn_lite.field import CorticalField
from biornn_lite.figures import study as study_figures
from biornn_lite.figures.communicability import sorted_values, walk_figure, walker
from biornn_lite.figures.field import by_distance, degrees, field_figure, field_map, inference_panel, raster
from biornn_lite.figures.matrices import matrix, spectrum
from biornn_lite.figures.panels import figure_panel, ipw, png, slider, stoppable
from biornn_lite.figures.space import against_true, cost_histogram, space_figure
from biornn_lite.figures.study import accuracy_figure, effects_figure, forest_figure, learning_figure
from biornn_lite.figures.style import as_text
from biornn_lite.figures.tasks import luck_of_the_draw
from biornn_lite.figures.topology import SCORES, epochs_figure, relation_figure, reordered
from biornn_lite.figures.training import (
    learning,
    two_variants_figure,
    two_variants_panel,
    watch_panel,
    watched_figure,
)
from biornn_lite.figures.weights import fading_curves, stages, weights_figure
from biornn_lite.figures.wiring import across_figure, across_panel, connections, shared_connections
from biornn_lite.priors import Priors
from biornn_lite.replication import load_replication
from biornn_lite.results import read_results
from biornn_lite.snapshots import histories, watch
from biornn_lite.study import Study
from biornn_lite.tasks import TASKS, get_task
from biornn_lite.training import Settings, train
from biornn_lite.variants import get_variant

SCRIPT = "<img src=x onerror=window.__hacked=1>"
QUICK = Settings(epochs=1, batches=2, batch_size=16, test_trials=40)


def named(field, name):
    return replace(field, name=name)


# Panels


def test_a_panel_shows_an_error_as_text(small):
    silent = replace(small, name=SCRIPT, spike_times=None)
    shown = parts_of(inference_panel(silent))["HTML"].value
    assert "&lt;img src=x" in shown and "<" not in shown

    def refuse(number):
        raise InputError(f"{SCRIPT}: 'no' & never")

    panel = figure_panel(refuse, {"number": slider("number", 1, 0, 2, 1)})
    assert parts_of(panel)["HTML"].value == "⚠ &lt;img src=x onerror=window.__hacked=1&gt;: 'no' &amp; never"


def test_work_that_fails_shows_its_error_as_text():
    status = ipw.HTML()

    def work():
        raise InputError(SCRIPT)
        yield

    start, _ = stoppable(work, status, "go")
    start.click()
    assert status.value.startswith("⚠ &lt;img") and "<" not in status.value


def test_a_training_panel_shows_the_error_of_its_field_as_text(small):
    same = replace(small, name=SCRIPT, correlation=np.ones((24, 24)))
    for panel in (two_variants_panel(same, QUICK), watch_panel(same, QUICK)):
        parts = parts_of(panel)
        next(parts[name] for name in ("Train both", "Train and watch") if name in parts).click()
        assert parts["HTML"].value.startswith("⚠") and "<" not in parts["HTML"].value


def test_a_question_is_text():
    asked = parts_of(Prediction(f"Is {SCRIPT} < 3?", {"yes": "", SCRIPT: ""}, at="").ask())
    safe = "<b>Predict.</b> Is &lt;img src=x onerror=window.__hacked=1&gt; &lt; 3?"
    assert asked["HTML"].value.partition("<style>")[0] == safe


# Figures


FORMULAS = ["$$", r"$\frac{$", "$x^y^z$", "${" + "{" * 60 + "$", "$e\u0301\u0301$", r"a\$b$c", r"\frac{", "{}_^\\"]


@pytest.mark.parametrize("name", FORMULAS)
def test_a_name_is_drawn_as_it_is(name):
    figure = plt.figure()
    text = figure.suptitle(as_text(name))
    png(figure)
    assert text._preprocess_math(text.get_text()) == (name, False)


def test_a_name_is_shortened_and_never_hidden():
    assert as_text("6_6_2") == "6_6_2"
    short = as_text("a" * 3_000_000 + "z")
    assert len(short) <= 80 and "…" in short and short.startswith("aaa") and short.endswith("z")
    assert as_text("b" * 100, 200) == "b" * 100
    ax = plt.figure().add_subplot()
    ax.plot([0, 1], label=as_text("_name"))
    assert [text.get_text().strip() for text in ax.legend().get_texts()] == ["_name"]


HARD = r"$x^y^z$ \frac{ $ e" + "\u0301"


def everything_drawn(field, results):
    """Figures that carry the name of a field, by the function that draws them."""
    label, ax = field.label, lambda: plt.figure().add_subplot()
    task, networks = "go_nogo", results.networks
    one = networks["variant"] == "WD"
    named_rows = networks.assign(field=label)
    watched = histories(watch(field, ("W", "WD"), task, settings=QUICK))
    trained = train(Priors(field).starts(("W", "WD"), 0), task, 0, QUICK)
    table = pd.DataFrame({key: [0.1, 0.2] for key in (*SCORES, "entropy")})
    square, by_name = np.abs(field.sttc) + 0.1, {label: np.abs(field.sttc) + 0.1}
    yield "field_3d", field_figure(field)
    yield "walk", walk_figure(field)
    yield "sorted_values", sorted_values(by_name, ax()).figure
    yield "walker", walker(field, np.ones(24) / 24, 0, ax(), label).figure
    yield "space", space_figure(field)
    yield "against_true", against_true(field, square, ax(), label).figure
    yield "cost_histogram", cost_histogram(1.0, np.arange(1.0, 5), ax(), label).figure
    yield "weights", weights_figure(field)
    yield "stages", stages(by_name, ax()).figure
    both = plt.figure().subplots(1, 2)
    fading_curves({label: square, "other": square}, tuple(both))
    yield "fading_curves", both[0].figure
    yield "two_variants", two_variants_figure(trained, ("W", "WD"), task, field)
    yield "learning", learning(trained, [label, "b"], task, ax()).figure
    yield "watched", watched_figure(watched, f"{label}, one run of each")
    yield "accuracy", accuracy_figure(networks, label)
    yield "field_map", field_map(field, ax()).figure
    yield "matrix", matrix(square, ax(), label, "weight").figure
    yield "spectrum", spectrum(square, ax(), label).figure
    yield "degrees", degrees(field, ax()).figure
    yield "raster", raster(field, ax()).figure
    yield "connections", connections(field, ax()).figure
    known = replace(field, nucleus_ids=np.arange(24))
    yield "shared", shared_connections(known, replace(known, name="other"), ax()).figure
    yield "across", across_figure(label, more=field)
    yield "forest", forest_figure(networks, [task], title=label, published=False)
    yield "effects", effects_figure(networks, task, "accuracy", "space", label)
    yield "study_learning", learning_figure(results, task, ["W"], label)
    yield "relation", relation_figure(named_rows[~one], task, "modularity")
    yield "epochs", epochs_figure({label: table}, label, neurons=24, random=2)
    yield "reordered", reordered(square > np.median(square), ax(), label).figure
    yield "luck", luck_of_the_draw({label: np.array([0.51])}, 500, {label: 0.52}, ax()).figure


def test_every_figure_shows_a_name_as_it_is(small):
    field, seen = named(small, HARD), []
    for name, figure in everything_drawn(field, load_replication("6_6_2")):
        texts = [text.get_text() for text in figure.findobj(Text) if "frac" in text.get_text()]
        assert texts, f"{name} does not show the name"
        assert not any(map(cbook.is_math_text, texts)), name
        png(figure)
        seen.append(name)
    assert len(seen) > 25


def test_fields_of_any_name_are_compared_by_distance(column):
    ax = by_distance([named(column, HARD), named(column, "$$")], plt.figure().add_subplot())
    assert not any(cbook.is_math_text(text.get_text()) for text in ax.get_legend().get_texts())
    png(ax.figure)


def test_the_panel_across_cortex_takes_a_field_of_any_name(small):
    parts = parts_of(across_panel(named(small, HARD)))
    before = parts["Picture"].value
    parts["field"].value = named(small, HARD).label
    assert parts["Picture"].value != before and parts["HTML"].value == ""


# The command


TRAIN = ["--variants", "W", "--tasks", "go_nogo", "--runs", "1", "--epochs", "1", "--jobs", "1"]


@pytest.fixture
def saved(tmp_path, small):
    """Return the path of a small saved field of any name."""

    def save(name):
        path = tmp_path / "field.npz"
        named(small, name).save(path)
        return str(path)

    return save


def python(*arguments, **options):
    """Run Python where the library is."""
    environment = os.environ | options.pop("env", {})
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=ROOT, env=environment, timeout=180, check=False, **options
    )


@pytest.mark.parametrize("name", ["$x^y^z$", "${" + "{" * 190 + "$"])
def test_a_study_of_a_field_of_any_name_ends_with_table_and_figure(saved, tmp_path, capsys, name):
    out = tmp_path / "out"
    assert main(["replicate", "--field", saved(name), *TRAIN, "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err and max(map(len, printed.err.split("\r"))) < 2000
    assert name[:20] in printed.out and (out / "table.txt").read_text(encoding="utf-8") == printed.out
    assert (out / "accuracy.png").read_bytes().startswith(b"\x89PNG")


def test_without_a_figure_the_table_is_there_all_the_same(saved, tmp_path, capsys, monkeypatch):
    def fail(*_):
        raise ValueError("\n".join(["no such glyph"] * 2992))

    monkeypatch.setattr(study_figures, "accuracy_figure", fail)
    out = tmp_path / "out"
    assert main(["replicate", "--field", saved("made"), *TRAIN, "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("Field made") and (out / "table.txt").read_text(encoding="utf-8") == printed.out
    last = printed.err.splitlines()[-1]
    assert last.startswith("biornn_lite: ") and "accuracy.png" in last and "no such glyph" in last
    assert not (out / "accuracy.png").exists()


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_choices_go_into_a_file_of_any_encoding(encoding):
    done = python("-m", "biornn_lite", "choices", env={"PYTHONIOENCODING": encoding})
    assert done.returncode == 0 and done.stderr == b""
    assert b"coordinates: reshaped, transposed" in done.stdout and b"emd_weight" in done.stdout


def test_choices_in_a_plain_locale():
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = python("-m", "biornn_lite", "choices", env=plain)
    assert done.returncode == 0 and b"coordinates: reshaped, transposed" in done.stdout


def closed(number):
    """Run the command in a shell that closes one of its streams."""
    return ["-c", f"import os, sys; os.close({number}); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"]


@pytest.mark.skipif(os.name == "nt", reason="needs streams that can be closed")
@pytest.mark.parametrize(("number", "jobs"), [(1, "1"), (2, "1"), (2, "2")])
def test_a_closed_stream_loses_no_results(saved, tmp_path, number, jobs):
    out = tmp_path / "out"
    call = ["-m", "biornn_lite", "replicate", "--field", saved("made"), *TRAIN, "--jobs", jobs, "--out", out]
    done = python(*closed(number), *call)
    assert done.returncode == 0, done.stderr
    assert len(read_results(out).networks) == 1 and (out / "accuracy.png").exists()
    assert (out / "table.txt").read_text(encoding="utf-8").startswith("Field made")


@pytest.mark.skipif(os.name == "nt", reason="needs pipes that can be closed")
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_that_nobody_reads_loses_no_results(saved, tmp_path, stream):
    out = tmp_path / "out"
    reading, writing = os.pipe()
    os.close(reading)
    call = ["-m", "biornn_lite", "replicate", "--field", saved("made"), *TRAIN, "--out", out]
    try:
        done = python(*call, **{stream: writing})
    finally:
        os.close(writing)
    assert done.returncode == 0, done.stderr
    assert len(read_results(out).networks) == 1 and (out / "accuracy.png").exists()
    assert (out / "table.txt").read_text(encoding="utf-8").startswith("Field made")


@pytest.mark.parametrize(("command", "module"), [("replicate", "torch"), ("fields", "numpy")])
def test_stopped_while_it_imports(tmp_path, command, module):
    (tmp_path / f"{module}.py").write_text("raise KeyboardInterrupt\n")
    done = python("-m", "biornn_lite", command, env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 130
    assert done.stderr.decode().splitlines() == ["biornn_lite: stopped; the same command goes on from here"]


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (["--help"], "numpy pandas torch matplotlib scipy"),
        (["choices"], "numpy pandas torch matplotlib scipy"),
        (["replicate", "--help"], "numpy pandas torch matplotlib scipy"),
        (["fields"], "torch pandas matplotlib seaborn networkx sklearn"),
    ],
)
def test_a_command_imports_what_it_needs(arguments, unneeded):
    code = (
        "import sys; from biornn_lite.__main__ import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        f"print(*sys.modules.keys() & set({unneeded.split()!r}), file=sys.stderr)"
    )
    done = python("-c", code, *arguments)
    assert done.returncode == 0 and done.stderr.decode().strip() == ""


def test_the_help_tells_the_defaults_of_the_library(capsys):
    with pytest.raises(SystemExit):
        main(["replicate", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert f"default: {' '.join(TASKS)}" in told and f"default {Settings.epochs}" in told
    assert _parser().parse_args(["replicate"]).field == EMBEDDED


def said(capsys):
    """What a command that failed has said: one line on stderr."""
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("biornn_lite: ") and error.strip().isprintable(), error
    return error


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--runs", 10**30, "runs is 1000000000000000000000000000000; it must be at most 100,000"),
        ("--runs", 100_001, "at most 100,000"),
        ("--epochs", 10**9, "epochs is 1000000000; it must be at most 100,000"),
        ("--jobs", 1025, "jobs is 1025; it must be at most 1,024"),
        ("--seed", 2**63, f"at most {2**63 - 1:,}"),
        ("--neurons", 10**30, "it must be at most 100,000"),
    ],
)
def test_numbers_that_cannot_be_meant_are_refused(tmp_path, capsys, option, value, told):
    began = time.monotonic()
    assert main(["replicate", option, str(value), "--out", str(tmp_path / "out")]) == 2
    assert told in said(capsys) and time.monotonic() - began < 30
    assert not (tmp_path / "out").exists()


RAW = "a\nb\x1b[31m\x07c\u202ed"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--protocol", RAW],
        ["--set", f"units={RAW}"],
        ["--set", f"{RAW}=1"],
        ["--variants", RAW],
        ["--tasks", RAW],
        ["--sign", RAW],
        ["--field", f"/nowhere/{RAW}"],
    ],
)
def test_what_a_message_quotes_cannot_steer_a_terminal(tmp_path, capsys, arguments):
    assert main(["replicate", *arguments, "--out", str(tmp_path / "out")]) == 2
    said(capsys)


@pytest.mark.parametrize(
    "arguments",
    [["fields", RAW], ["replicate", "--runs", RAW], ["replicate", "--device", RAW], [RAW], ["replicate", "--" + RAW]],
)
def test_a_call_that_cannot_be_read_gets_one_line(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and "--help" in said(capsys)


def test_a_long_message_keeps_its_end(capsys):
    assert main(["fetch", "x" * 5000]) == 2
    told = said(capsys)
    assert len(told) < 2100 and told.endswith("`python -m biornn_lite fields` lists them\n")


def test_paths_and_warnings_are_shown_in_one_line(saved, tmp_path, capsys, monkeypatch):
    import warnings

    def warn(*_, **__):
        warnings.warn(RAW, FieldWarning, stacklevel=1)
        warnings.warn(RAW, UserWarning, stacklevel=1)
        raise InputError(RAW)

    monkeypatch.setattr("biornn_lite.datasets.fetch_field", warn)
    assert main(["replicate", "--out", str(tmp_path / "out")]) == 2
    lines = capsys.readouterr().err.split("\n")
    assert len(lines) == 4 and all(line.isprintable() for line in lines)
    monkeypatch.undo()
    out = tmp_path / RAW
    assert main(["replicate", "--field", saved("made"), *TRAIN, "--out", str(out)]) == 0
    told = capsys.readouterr().err
    assert "\x1b[31m" not in told and "\u202e" not in told and (out / "table.txt").exists()


# What the machine refuses


def test_a_folder_in_the_place_of_the_table_is_said(saved, tmp_path, capsys):
    out = tmp_path / "out"
    (out / "table.txt").mkdir(parents=True)
    assert main(["replicate", "--field", saved("made"), *TRAIN, "--out", str(out)]) == 2
    printed = capsys.readouterr()
    last = printed.err.splitlines()[-1]
    assert last.startswith(f"biornn_lite: {out / 'table.txt'}: ")
    assert "Traceback" not in printed.err and printed.out.startswith("Field made")
    assert len(read_results(out).networks) == 1


@pytest.mark.parametrize("name", ["study.json", "curves.csv", "results.csv", "table.txt", "accuracy.png"])
def test_a_full_disk_is_said_and_what_is_written_stays(saved, tmp_path, capsys, monkeypatch, name):
    field, out, replaced = saved("made"), tmp_path / "out", Path.replace

    def full(self, target):
        if Path(target).name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", full)
    call = ["replicate", "--field", field, *TRAIN, "--out", str(out)]
    assert main(call) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("biornn_lite: ") and "No space left on device" in last
    monkeypatch.undo()
    assert main(call) == 0 and (out / "table.txt").exists() and len(read_results(out).networks) == 1


def test_a_file_that_may_not_be_read_is_said(capsys, monkeypatch, tmp_path):
    opened = Path.open

    def refuse(path, *arguments, **options):
        if path.name == "fields.csv":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, *arguments, **options)

    from biornn_lite import datasets

    datasets._lattices.cache_clear()
    monkeypatch.setattr(Path, "open", refuse)
    assert main(["fields"]) == 2
    told = said(capsys)
    assert "fields.csv" in told and "Permission denied" in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["choices", "fields"])
def test_a_full_disk_behind_stdout_is_said(command):
    with Path("/dev/full").open("w") as full:
        done = python("-m", "biornn_lite", command, stdout=full)
    told = done.stderr.decode()
    assert done.returncode == 2 and told.count("\n") == 1 and "No space left on device" in told


def test_streams_are_given_back(capsys):
    before = sys.stdout, sys.stderr
    assert main(["choices"]) == 0
    assert (sys.stdout, sys.stderr) == before and isinstance(before[0], io.TextIOBase)


@pytest.mark.parametrize("name", ["a\nb", "\x1b[2J\x1b[31mred", "a\u202eb", "\r\n"])
def test_a_message_is_one_line_whatever_the_name(column, tmp_path, name):
    """Names that a user gives from Python, in every door that takes one."""
    doors = (
        lambda: load_field(name),
        lambda: read_released(tmp_path / name),
        lambda: get_variant(name),
        lambda: get_task(name),
        lambda: Study(column, protocol=name),
        lambda: Study(column, sign=name),
        lambda: Study(column, ("W", name)),
        lambda: load_replication(name),
        lambda: CorticalField.load(tmp_path / f"{name}.npz"),
        lambda: field_from_events(name, np.zeros((3, 3)), np.zeros((3, 3)), None),
    )
    for door in doors:
        with pytest.raises(InputError) as caught:
            door()
        assert str(caught.value).isprintable() and len(str(caught.value)) < 1000
