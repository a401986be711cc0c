"""Studies and the command: rows, resuming, a kill at any moment, and errors of the user's in one line."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from biornn_lite.__main__ import main
from biornn_lite.datasets import read_released
from biornn_lite.errors import FieldError, InputError
from biornn_lite.results import (
    COLUMNS,
    CURVE_COLUMNS,
    RECORDED,
    ceilings,
    format_table,
    read_results,
    reported_accuracy,
    summarise,
)
from biornn_lite.seeds import generator, run_seed
from biornn_lite.study import Study, _pieces, run_networks, run_study
from biornn_lite.study_folder import read_network, write_network
from biornn_lite.tasks import TASKS, get_task
from biornn_lite.training import Settings
from biornn_lite.variants import PROTOCOLS, PUBLISHED_VARIANTS, Protocol, Variant, get_variant

QUICK = Settings(epochs=1, batches=2, batch_size=16, test_trials=40)


def without_time(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="seconds")


@pytest.fixture
def threads():
    with joblib.parallel_config("threading", n_jobs=2):
        yield


@pytest.fixture(scope="module")
def results(small):
    """All variants and tasks, twice, hardly trained."""
    with joblib.parallel_config("threading", n_jobs=2):
        return run_study(Study(small, runs=2, settings=QUICK), progress=False).networks


# Rows


def test_every_network_has_one_row_in_order(results):
    assert list(results.columns) == COLUMNS and len(results) == 11 * 3 * 2
    assert not results.duplicated(["variant", "task", "run"]).any()
    assert list(results["variant"].unique()) == list(PUBLISHED_VARIANTS)
    assert list(results["task"].unique()) == list(TASKS)
    assert (results["status"] == "ok").all() and results[["train_accuracy", "penalty"]].notna().all(axis=None)
    assert (results["seed"] == results["run"].map(lambda run: run_seed(0, run))).all()
    assert (results["units"] == "min_max").all() and (results["protocol"] == "published").all()


@pytest.mark.parametrize(("free", "side_by_side"), [(1e6, 1), (2e9, 27), (70e9, 220)])
def test_a_gpu_trains_as_many_networks_as_fit(small, monkeypatch, free, side_by_side):
    """Counted for 312 neurons; the memory of each was measured on a processor."""
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (int(free), int(80e9)))
    study = Study(small)
    monkeypatch.setattr(type(small), "neurons", 312)
    pieces = _pieces(study.networks, study, "cuda", 1)
    assert sorted(network for piece in pieces for network in piece) == sorted(study.networks)
    assert all(len({task for _, task, _ in piece}) == 1 for piece in pieces)
    assert len(pieces[0]) == pytest.approx(side_by_side, abs=3)


def test_studies_of_different_seeds_share_no_runs():
    seeds = [run_seed(seed, run) for seed in range(30) for run in range(30)]
    assert len(set(seeds)) == 900 and run_seed(5, 3) == run_seed(5, 3)
    assert generator(1, "a").random() != generator(1, "b").random() != generator(2, "b").random()


def test_worker_processes_give_the_rows_of_this_one(small, results):
    study = Study(small, ("W*D*C*", "W"), ("go_nogo",), 2, settings=QUICK)
    rows = run_study(study, jobs=2, progress=False).networks
    here = results[results["variant"].isin(["W*D*C*", "W"]) & (results["task"] == "go_nogo")]
    here = here.set_index(["variant", "run"]).loc[list(rows[["variant", "run"]].itertuples(index=False))]
    numbers = ["train_accuracy", "test_accuracy", "train_loss", "test_loss", "penalty"]
    # One thread there and several here: equal to rounding.
    np.testing.assert_allclose(rows[numbers], here[numbers], rtol=1e-4)


# Resuming


@pytest.fixture
def trained(monkeypatch):
    """The networks that are trained, as they are."""
    found = []

    def note(study, networks, *more, **others):
        found.extend(networks)
        return run_networks(study, networks, *more, **others)

    monkeypatch.setattr("biornn_lite.study.run_networks", note)
    return found


def test_a_study_grows_without_computing_anything_again(tmp_path, small, threads, trained):
    first = Study(small, ("W", "W*"), ("go_nogo",), 1, settings=QUICK)
    run_study(first, tmp_path, progress=False)
    trained.clear()
    larger = Study(small, ("W*", "W", "WD"), ("go_nogo", "one_choice_inference"), 2, settings=QUICK)
    found = run_study(larger, tmp_path, progress=False)
    table = found.networks
    assert len(table) == 12 and sorted(trained) == sorted(set(larger.networks) - set(first.networks))
    assert [*zip(table["variant"], table["task"], table["run"], strict=True)] == larger.networks
    for read, mine in zip(read_results(tmp_path), found, strict=True):
        pd.testing.assert_frame_equal(read, mine, check_exact=True)
    whole = run_study(larger, progress=False)
    pd.testing.assert_frame_equal(without_time(whole.networks), without_time(table), rtol=1e-6)
    pd.testing.assert_frame_equal(whole.curves, found.curves, rtol=1e-6)
    smaller = run_study(first, tmp_path, progress=False)
    assert len(smaller.networks) == 12 and smaller.networks["variant"].iloc[0] == "W"


def test_every_network_has_its_learning_curve(small, threads):
    """A row per epoch, the last of which is what the table of networks says; penalties belong to their epoch."""
    settings = Settings(epochs=3, batches=2, batch_size=16, test_trials=40)
    study = Study(small, ("W*D*C*", "WDC", "W"), ("go_nogo",), 2, settings=settings)
    networks, curves = run_study(study, progress=False)
    assert list(curves.columns) == CURVE_COLUMNS and len(curves) == 3 * 2 * 3
    assert [*zip(*(curves[k] for k in ("variant", "task", "run", "epoch")), strict=True)] == [
        (*network, epoch) for network in study.networks for epoch in (1, 2, 3)
    ]
    last = curves[curves["epoch"] == 3].reset_index(drop=True)
    for what in RECORDED:
        assert (last[what] == networks[what]).all(), what
        assert curves[what].notna().all()
    shorter = Study(small, study.variants, study.tasks, 2, settings=Settings(2, 2, 16, 40))
    pd.testing.assert_frame_equal(
        run_study(shorter, progress=False).curves, curves[curves["epoch"] < 3].reset_index(drop=True)
    )


def test_a_network_that_diverges_has_no_curve_and_no_measurement(microns):
    study = Study(read_released(microns / "6_6_2"), ("W",), ("go_nogo",), 1, 0, Protocol(), "positive", QUICK)
    networks, curves = run_networks(study, study.networks)
    row = networks.iloc[0]
    assert (row["status"], row["diverged_step"]) == ("diverged", 1) and curves.empty
    assert row[["train_accuracy", "test_accuracy", "train_loss", "test_loss", "penalty", "entropy"]].isna().all()


def test_curves_of_a_piece_that_was_not_finished_are_dropped_and_computed_again(tmp_path, small, threads):
    """As after a kill between the two files: the curves are there, the row is not."""
    study = Study(small, ("W", "WD", "W*"), ("go_nogo",), 1, settings=QUICK)
    whole = run_study(study, tmp_path, progress=False)
    lines = (tmp_path / "results.csv").read_text().splitlines(keepends=True)
    (tmp_path / "results.csv").write_text("".join(lines[:-1]))
    assert len(read_results(tmp_path).curves) == 2
    again = run_study(study, tmp_path, progress=False)
    pd.testing.assert_frame_equal(without_time(again.networks), without_time(whole.networks))
    pd.testing.assert_frame_equal(again.curves, whole.curves)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_numbers_come_back_as_they_were_written(results, tmp_path_factory, values):
    """pandas' usual parser is off in the last digit of some; a study that goes on would drift."""
    folder = tmp_path_factory.mktemp("study")
    networks = results.head(1).copy()
    curves = pd.DataFrame([networks.loc[0, ["variant", "task", "run"]]] * len(values), columns=CURVE_COLUMNS)
    curves = curves.assign(epoch=range(1, len(values) + 1)).fillna(dict.fromkeys(RECORDED, 0.5))
    curves["train_loss"] = values
    networks[RECORDED] = [0.5, values[-1], 0.5, 0.5, 0.5]
    networks.to_csv(folder / "results.csv", index=False)
    curves.to_csv(folder / "curves.csv", index=False)
    assert list(read_results(folder).curves["train_loss"]) == values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "seed is 0 there and 1 here"),
        ({"sign": "positive"}, "sign is free there and positive here"),
        ({"protocol": Protocol(units="micrometres")}, "units is min_max there and micrometres here"),
        ({"settings": Settings(epochs=2)}, "epochs is 1 there and 2 here"),
    ],
)
def test_results_of_another_configuration_are_left_alone(tmp_path, small, threads, change, message):
    common = {"field": small, "variants": ("W",), "tasks": ("go_nogo",), "runs": 1, "settings": QUICK}
    run_study(Study(**common), tmp_path, progress=False)
    before = (tmp_path / "results.csv").read_bytes()
    with pytest.raises(InputError, match=f"another configuration: {message}"):
        run_study(Study(**common | change), tmp_path, progress=False)
    assert (tmp_path / "results.csv").read_bytes() == before


def test_another_field_of_the_same_name_is_another_configuration(tmp_path, column, threads):
    for seed, failing in ((1, False), (2, True)):
        field = column.subset(10, np.random.default_rng(seed))
        study = Study(field, ("W",), ("go_nogo",), 1, settings=QUICK)
        if failing:
            with pytest.raises(InputError, match="field_digest"):
                run_study(study, tmp_path, progress=False)
        else:
            run_study(study, tmp_path, progress=False)


DAMAGES = {
    "cut": lambda text: text[: text.index("\n") + 30],
    "text": lambda text: "what is this",
    "not a number": lambda text: re.sub(r"0\.\d+", "much", text, count=1),
    "nan": lambda text: re.sub(r"0\.\d+", "", text, count=1),
    "repeated": lambda text: text + text.splitlines(keepends=True)[1],
    "empty": lambda text: "",
}


@pytest.mark.parametrize("name", ["results.csv", "curves.csv"])
@pytest.mark.parametrize("damage", [*DAMAGES, "another", "gone"])
def test_corrupt_results_are_set_aside_and_said(tmp_path, small, threads, capsys, name, damage):
    study = Study(small, ("W", "WD"), ("go_nogo",), 1, settings=QUICK)
    whole = run_study(study, tmp_path, progress=False)
    path = tmp_path / name
    text = path.read_text()
    damaged = DAMAGES[damage](text) if damage in DAMAGES else re.sub(r",0\.\d+,", ",0.123,", text, count=1)
    assert damaged != text
    path.write_text(damaged)
    if damage == "gone":
        path.unlink()
    again = run_study(study, tmp_path, progress=False)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    if (name, damage) == ("results.csv", "cut"):
        assert "its last row was cut off" in said
    else:
        aside = "curves.csv" if (name, damage) == ("results.csv", "gone") else "results.csv"
        assert f"set aside as {aside}.corrupt-1" in said
        if damage != "gone":
            assert (tmp_path / f"{name}.corrupt-1").read_text() == damaged
    pd.testing.assert_frame_equal(without_time(again.networks), without_time(whole.networks))
    pd.testing.assert_frame_equal(again.curves, whole.curves)


def test_results_without_their_configuration_are_left_alone(tmp_path, small, threads):
    (tmp_path / "results.csv").write_text("mine")
    with pytest.raises(InputError, match=r"results\.csv without study\.json"):
        run_study(Study(small, runs=1, settings=QUICK), tmp_path)
    (tmp_path / "study.json").write_text("{")
    with pytest.raises(InputError, match="unreadable"):
        run_study(Study(small, runs=1, settings=QUICK), tmp_path)


def test_two_studies_do_not_write_to_one_folder(tmp_path, small, threads):
    from filelock import FileLock

    with FileLock(tmp_path / ".lock"), pytest.raises(InputError, match="another study is writing here"):
        run_study(Study(small, runs=1, settings=QUICK), tmp_path)


def test_an_error_in_a_network_stops_the_study_and_keeps_what_is_done(tmp_path, column):
    calls = []

    def breaks(field, rng):
        calls.append(1)
        return np.eye(field.neurons) if len(calls) == 1 else np.eye(2)

    small = column.subset(10, np.random.default_rng(0))
    study = Study(small, ("W", Variant("breaks", breaks)), ("go_nogo",), 1, settings=QUICK)
    run_study(Study(small, ("W",), ("go_nogo",), 1, settings=QUICK), tmp_path, jobs=1, progress=False)
    with pytest.raises(InputError, match=r"breaks gives an array of shape \(2, 2\); \(10, 10\) is needed"):
        run_study(study, tmp_path, jobs=1, progress=False)
    assert list(read_results(tmp_path).networks["variant"]) == ["W"]


def command(*arguments, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "biornn_lite", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps")
def test_a_killed_study_goes_on_to_the_same_rows(tmp_path, microns):
    """Killed with SIGKILL three times at random moments, on real data; the workers end with it."""
    arguments = (
        "replicate", "--field", microns / "5_3_8", "--tasks", "go_nogo", "--runs", 2, "--epochs", 2, "--jobs", 2,
    )  # fmt: skip
    undisturbed = command(*arguments, "--out", tmp_path / "whole")
    _, errors = undisturbed.communicate(timeout=300)
    assert undisturbed.returncode == 0, errors
    whole = read_results(tmp_path / "whole").networks
    assert len(whole) == 22

    out = tmp_path / "killed"
    moments, kills = random.Random(), 0
    while kills < 3:
        process = command(*arguments, "--out", out)
        began = time.monotonic()
        wait = moments.uniform(2, 14)
        try:
            process.wait(timeout=wait)
            break  # finished before its kill
        except subprocess.TimeoutExpired:
            workers = children(process.pid)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
            deadline = time.monotonic() + 20
            while any(os.path.exists(f"/proc/{pid}") for pid in workers) and time.monotonic() < deadline:  # noqa: PTH110
                time.sleep(0.1)
            assert not any(os.path.exists(f"/proc/{pid}") for pid in workers), f"workers outlive a kill at {wait} s"  # noqa: PTH110
            if (out / "results.csv").exists():
                read_results(out)
        assert time.monotonic() - began < 60
    final = command(*arguments, "--out", out)
    table, errors = final.communicate(timeout=300)
    assert final.returncode == 0, errors
    assert "corrupt" not in errors
    pd.testing.assert_frame_equal(without_time(read_results(out).networks), without_time(whole))
    pd.testing.assert_frame_equal(read_results(out).curves, read_results(tmp_path / "whole").curves)
    assert "Go/NoGo: without memory 0.500, best possible 1.000" in table


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the process by Linux's ps")
def test_a_killed_process_is_said_in_one_line_and_what_is_done_is_kept(tmp_path):
    """As the system does with a process when memory runs out."""
    arguments = ("replicate", "--neurons", 40, "--tasks", "go_nogo", "--runs", 9, "--epochs", 2, "--jobs", 2)
    study = command(*arguments, "--out", tmp_path / "out")
    while not (tmp_path / "out" / "results.csv").exists():
        assert study.poll() is None
        time.sleep(0.05)
    by_memory = subprocess.run(
        ["ps", "-o", "rss=,pid=", "--ppid", str(study.pid)], capture_output=True, text=True, check=True
    ).stdout
    os.kill(max((int(rss), int(pid)) for rss, pid in map(str.split, by_memory.splitlines()))[1], signal.SIGKILL)
    _, errors = study.communicate(timeout=60)
    assert study.returncode == 2 and "Traceback" not in errors
    # Once; Python's tracker of shared memory is a process of its own, and may add its warning before or after.
    assert errors.count("a process of this study was killed") == 1
    done = read_results(tmp_path / "out").networks
    assert 0 < len(done) < 99
    again = command(*arguments, "--out", tmp_path / "out")
    _, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    table = read_results(tmp_path / "out").networks
    assert len(table) == 99 and set(done["seconds"]) <= set(table["seconds"])


def test_backends_and_jobs_that_cannot_serve_are_refused(small):
    study = Study(small, ("W",), ("go_nogo",), 1, settings=QUICK)
    with joblib.parallel_config("multiprocessing", n_jobs=2), pytest.raises(InputError, match="choose loky"):
        run_study(study, progress=False)
    with pytest.raises(InputError, match="jobs is 0"):
        run_study(study, jobs=0, progress=False)
    with joblib.parallel_config("multiprocessing", n_jobs=2):
        assert len(run_study(study, jobs=1, progress=False).networks) == 1  # this process computes


# The command


def test_the_command_ends_with_table_and_figure(tmp_path, microns, capsys):
    code = main(
        ["replicate", "--field", str(microns / "5_3_8"), "--neurons", "20", "--variants", "W*D*C*", "W!D*C", "WC",
         "--tasks", "go_nogo", "--runs", "2", "--epochs", "1", "--sign", "positive", "--protocol", "sound",
         "--set", "units=min_max", "--jobs", "1", "--out", str(tmp_path)]
    )  # fmt: skip
    printed = capsys.readouterr()
    assert code == 0, printed.err
    table = read_results(tmp_path).networks
    assert len(table) == 6 and set(table["field"]) == {"5_3_8[20]"} and set(table["sign"]) == {"positive"}
    assert set(table["protocol"]) == {"sound+units=min_max"} and set(table["coordinates"]) == {"transposed"}
    assert printed.out.splitlines()[-3].startswith("W*D*C*") and printed.out.splitlines()[-1].startswith("WC")
    assert (tmp_path / "table.txt").read_text().strip() == printed.out.strip()
    assert (tmp_path / "accuracy.png").read_bytes().startswith(b"\x89PNG")
    assert "6/6 networks: 100%" in printed.err
    assert json.loads((tmp_path / "study.json").read_text())["units"] == "min_max"


def test_the_command_lists_fields_and_choices(capsys):
    assert main(["fields"]) == 0
    assert capsys.readouterr().out.count("released") == 56
    assert main(["choices"]) == 0
    assert "coordinates: reshaped, transposed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--field", "/nowhere/at/all"], "/nowhere/at/all: no such folder, file or field"),
        (["--variants", "W*", "W**"], "no variant 'W**'"),
        (["--variants", "W*", "W*"], "each variant is to be named once"),
        (["--tasks", "maze"], "no task 'maze'"),
        (["--set", "units=inches"], "choice units is 'inches'"),
        (["--set", "colour=red"], "no choice 'colour'"),
        (["--set", "units"], "not of the form choice=value"),
        (["--protocol", "best"], "no protocol 'best'"),
        (["--sign", "negative"], "sign is 'negative'"),
        (["--runs", "0"], "runs is 0"),
        (["--epochs", "0"], "epochs is 0"),
        (["--seed", "-1"], "seed is -1"),
        (["--jobs", "0"], "jobs is 0"),
        (["--neurons", "1000"], "cannot keep 1000 of 96 neurons"),
        (["--neurons", "1"], "cannot keep 1 of 96 neurons"),
        (["--device", "cuda"], "device is cuda"),
        (["--neurons", "50", "--set", "function=precision"], "has no precision matrix"),
    ],
)
def test_bad_input_gets_one_line_and_code_2(tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main(["replicate", *arguments, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("biornn_lite: ") and message in error
    assert not (tmp_path / "out").exists(), "nothing is made for a study that cannot be"


def test_a_study_takes_names_where_it_takes_objects(column):
    named = Study("synthetic_column", "W*D*C*", "go_nogo", protocol="sound")
    assert named.field.neurons == column.neurons and named.protocol == PROTOCOLS["sound"]
    assert named.variants == (get_variant("W*D*C*"),) and named.tasks == (get_task("go_nogo"),)
    assert [variant.name for variant in Study(column, ["W", "WD"]).variants] == ["W", "WD"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variants": "W*D*C*C"}, r"no variant 'W\*D\*C\*C'"),
        ({"tasks": "maze"}, "no task 'maze'"),
        ({"protocol": "best"}, "no protocol 'best'; there are published, sound"),
        ({"protocol": None}, "protocol is a NoneType; a Protocol is needed"),
        ({"settings": {"epochs": 3}}, "settings is a dict; a Settings is needed"),
        ({"field": None}, "field is a NoneType; a CorticalField is needed"),
        ({"field": "5_3_99"}, "5_3_99: no such folder, file or field"),
    ],
)
def test_what_no_study_is_made_of_is_said_in_a_line(column, options, message):
    with pytest.raises((InputError, FieldError), match=message) as caught:
        Study(**{"field": column, **options})
    assert str(caught.value).isprintable()


def test_a_device_that_is_not_there_is_said(small, tmp_path):
    study = Study(small, ("W",), ("go_nogo",), runs=1)
    for device in ("cuda", "abacus"):
        if device == "cuda" and torch.cuda.is_available():
            continue
        with pytest.raises(InputError, match=f"device is {device}, which PyTorch does not find"):
            run_study(study, tmp_path / "out", device=device)
    assert not (tmp_path / "out").exists()


def test_a_bad_folder_gets_one_line_and_code_2(tmp_path, microns, capsys):
    shutil.copytree(microns / "5_3_8", tmp_path / "5_3_8")
    (tmp_path / "5_3_8").chmod(0o755)
    (tmp_path / "5_3_8" / "sttc_matrix.npy").unlink()
    assert main(["replicate", "--field", str(tmp_path / "5_3_8"), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "sttc_matrix.npy: no such file" in error


def test_an_out_that_cannot_be_a_folder(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["replicate", "--runs", "1", "--out", str(tmp_path / "file")]) == 2
    assert "cannot be written to" in capsys.readouterr().err


# Summaries


def test_diverged_and_undefined_values_never_enter_a_median(results):
    table = results[results["task"] == "go_nogo"].copy()
    first = table.index[(table["variant"] == "W*D*C")]
    table.loc[first, "status"] = "diverged"
    table.loc[first, ["train_accuracy", "entropy"]] = np.nan
    second = table.index[(table["variant"] == "WDC")]
    table.loc[second[0], "assortativity"] = np.nan
    summary = summarise(table)
    assert summary.loc[("go_nogo", "W*D*C"), "diverged"] == 2
    assert np.isnan(summary.loc[("go_nogo", "W*D*C"), "accuracy"])
    assert summary.loc[("go_nogo", "WDC"), "assortativity"] == table.loc[second[1], "assortativity"]
    text = format_table(table, "made")
    assert "nan" not in text
    row = next(line for line in text.splitlines() if line.startswith("W*D*C "))
    assert row.split()[:4] == ["W*D*C", "2", "2", "–"]
    assert next(line for line in text.splitlines() if line.startswith("WDC ")).endswith("(1)")


def test_the_protocol_says_which_accuracy_is_reported(results):
    assert (reported_accuracy(results) == results["train_accuracy"]).all()
    tested = results.assign(reported_accuracy=PROTOCOLS["sound"].reported_accuracy)
    assert (reported_accuracy(tested) == results["test_accuracy"]).all()
    assert "held-out test trials" in format_table(tested, "made")
    assert ceilings("perceptual_decision_making", "train")[1] < ceilings("perceptual_decision_making", "test")[1]


def test_a_real_field_gives_real_rows(microns, threads):
    study = Study(read_released(microns / "5_3_4"), tasks=("go_nogo",), runs=1, settings=QUICK)
    table = run_study(study, progress=False).networks
    assert len(table) == 11 and set(table["field"]) == {"5_3_4"}


def test_networks_of_any_field_are_read_again(tmp_path):
    """A file of weights has no positions that would say how many neurons there are; 521 is the largest field."""
    neurons, rng = 521, np.random.default_rng(0)
    shapes = {"w": (neurons,) * 2, "w_in": (3, neurons), "w_out": (neurons, 2), "b": (1, neurons), "b_out": (1, 2)}
    state = {name: rng.random(shape, dtype=np.float32) for name, shape in shapes.items()}
    write_network(tmp_path, ("W", "go_nogo", 0), state)
    np.testing.assert_array_equal(read_network(tmp_path, "W", "go_nogo", 0).state_of_run(0)["w"], state["w"])
    write_network(tmp_path, ("W", "go_nogo", 1), state | {"w": state["w"][:5, :5], "w_in": np.zeros((999, 999))})
    with pytest.raises(InputError, match=r"not a saved network .*which has 5 neurons"):
        read_network(tmp_path, "W", "go_nogo", 1)
    write_network(tmp_path, ("W", "go_nogo", 2), state | {"w": state["w"][:5]})
    with pytest.raises(InputError, match=r"w has shape \(5, 521\)"):
        read_network(tmp_path, "W", "go_nogo", 2)
