"""The rows of a study in its folder: read back as they were, and nothing that another wrote or changed is taken."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from biornn_lite import results as results_module
from biornn_lite import study as study_module
from biornn_lite import study_folder
from biornn_lite.errors import InputError
from biornn_lite.plumbing import workers
from biornn_lite.results import read_results
from biornn_lite.study import Study, run_networks, run_study
from biornn_lite.tasks import GoNoGo
from biornn_lite.training import Settings
from biornn_lite.variants import Protocol

QUICK = Settings(epochs=2, batches=2, batch_size=16, test_trials=40)
FILES = ("results.csv", "curves.csv")


def numbers(path):
    # By Python's own float: pandas 2 reads every digit only if told, and pandas 3.1 warns of being told.
    names = [*results_module.RECORDED, *results_module.SHAPE, "seconds"]
    return pd.read_csv(path, converters=dict.fromkeys(names, lambda text: float(text or "nan")))


@pytest.fixture(scope="module", autouse=True)
def threads():
    with joblib.parallel_config("threading", n_jobs=2):
        yield


@pytest.fixture(scope="module")
def study(small):
    return Study(small, ("W", "WD*C", "W*"), ("go_nogo",), 2, settings=QUICK)


@pytest.fixture(scope="module")
def finished(study, tmp_path_factory):
    """A folder with all rows; tests copy it."""
    folder = tmp_path_factory.mktemp("finished")
    run_study(study, folder, progress=False)
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    return Path(shutil.copytree(finished, tmp_path / "study"))


@pytest.fixture
def trained(monkeypatch, finished, study):
    """Take rows from the finished study in place of training, and say which."""
    found = []
    whole = read_results(finished)

    def from_there(study, networks, *more, **others):
        found.extend(networks)
        wanted = pd.MultiIndex.from_tuples(networks)
        return results_module.Results(
            *(t[pd.MultiIndex.from_frame(t[results_module.KEY]).isin(wanted)].reset_index(drop=True) for t in whole)
        )

    monkeypatch.setattr("biornn_lite.study.run_networks", from_there)
    return found


def same(first, second):
    for one, other in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def rewrite(path, change):
    text = path.read_text()
    changed = change(text)
    assert changed != text
    path.write_text(changed)


def without_checks(folder):
    """Make the folder one of an earlier version."""
    pd.read_csv(folder / "results.csv", dtype=str, keep_default_na=False).drop(columns="check").to_csv(
        folder / "results.csv", index=False
    )
    noted = json.loads((folder / "study.json").read_text())
    del noted["tasks"], noted["made_on"]
    (folder / "study.json").write_text(json.dumps(noted))


# Text stays text


@pytest.mark.parametrize("name", ["001", "0506", "NA", "None", "null", "1e5", "nan", "True", 'a,"b"'])
def test_the_name_of_a_field_stays_as_it_is(tmp_path, small, name):
    study = Study(replace(small, name=name), ("W",), ("go_nogo",), 1, settings=QUICK)
    first = run_study(study, tmp_path, progress=False)
    assert read_results(tmp_path).networks["field"].tolist() == [name]
    found = run_study(replace(study, runs=2), tmp_path, progress=False)
    assert found.networks["field"].tolist() == [name] * 2
    same(read_results(tmp_path), found)
    assert found.networks["seconds"].iloc[0] == first.networks["seconds"].iloc[0], "computed again"


# What a task is


@pytest.fixture
def another_go_nogo(monkeypatch):
    @dataclass(frozen=True)
    class Noisy(GoNoGo):
        def trials(self, count, rng):
            inputs, labels = super().trials(count, rng)
            return inputs + np.float32(0.2) * rng.standard_normal(inputs.shape).astype("f4"), labels

    @dataclass(frozen=True)
    class Longer(GoNoGo):
        delay: int = 14

    return {"noise": Noisy(), "length": Longer()}


@pytest.mark.parametrize("other", ["noise", "length"])
def test_another_task_of_the_same_name_is_another_configuration(folder, study, another_go_nogo, other):
    with pytest.raises(InputError, match="go_nogo is the name of a published task with other trials"):
        replace(study, tasks=another_go_nogo[other])
    before = (folder / "results.csv").read_bytes()
    own = replace(study, variants="W", tasks=replace(another_go_nogo[other], name="mine"), runs=1)
    run_study(own, folder, progress=False)
    assert set(before.splitlines()) < set((folder / "results.csv").read_bytes().splitlines()), "all rows stay"
    with pytest.raises(InputError, match="the task mine is another one there than here"):
        run_study(replace(own, tasks=GoNoGo(name="mine")), folder, progress=False)


def test_rows_of_an_earlier_version_are_read_with_the_settings_of_their_study(folder):
    path = folder / "results.csv"
    before = read_results(folder)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.drop(columns=["check", "own_objects", *asdict(Settings())]).to_csv(path, index=False)
    same(read_results(folder), before)
    (folder / "study.json").unlink()
    assert set(read_results(folder).networks["batches"]) == {Settings().batches}, "the published ones"


def test_a_folder_without_checks_goes_on(folder, study, trained, capsys):
    without_checks(folder)
    lines = (folder / "results.csv").read_text().splitlines(keepends=True)
    (folder / "results.csv").write_text("".join(lines[:-1]))
    run_study(study, folder, progress=False)
    assert trained == study.networks[-1:] and capsys.readouterr().err == ""
    assert list(json.loads((folder / "study.json").read_text())["tasks"]) == ["go_nogo"]
    assert pd.read_csv(folder / "results.csv")["check"].str.fullmatch(r"\w{8}-\w{8}-\w{8}").all()


def test_a_folder_may_hold_tasks_that_are_not_known_here(folder, study):
    noted = json.loads((folder / "study.json").read_text())
    noted["tasks"]["maze\n\x1b[31m"] = "0" * 16
    (folder / "study.json").write_text(json.dumps(noted))
    run_study(study, folder, progress=False)
    assert json.loads((folder / "study.json").read_text())["tasks"] == noted["tasks"]


# The lock


def test_a_folder_is_free_again_after_an_error_that_is_kept(tmp_path, study, monkeypatch):
    def fail(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as kept:
        patch.setattr("biornn_lite.study.run_networks", fail)
        run_study(study, tmp_path, jobs=1, progress=False)
    assert kept.value.__traceback__ is not None
    again = subprocess.run(
        [sys.executable, "-c", f"from filelock import FileLock; FileLock({str(tmp_path / '.lock')!r}).acquire(0)"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert len(run_study(replace(study, runs=1), tmp_path, jobs=1, progress=False).networks) == 3


def test_a_study_within_a_study_in_one_folder_is_told_so(tmp_path, study, monkeypatch):
    def again(*_, **__):
        return run_study(study, tmp_path / "." / "x" / "..", jobs=1, progress=False)

    monkeypatch.setattr("biornn_lite.study.run_networks", again)
    with pytest.raises(InputError, match="this Python process is already writing here"):
        run_study(study, tmp_path, jobs=1, progress=False)


# Rows that no study wrote


def test_each_cut_of_the_last_row_is_noticed(folder, study, finished):
    origin = study_folder.origin_of(study, study.configuration["tasks"], {})
    whole = (finished / "results.csv").read_text()
    start = whole.rstrip("\n").rindex("\n") + 1
    for end in range(start + 1, len(whole) - 1):
        (folder / "results.csv").write_text(whole[:end])
        found = results_module.find_results(folder, origin)
        assert found.cut and not found.faults and len(found.results.networks) == 5, whole[start:end]
    (folder / "results.csv").write_text(whole[:-1])
    assert len(results_module.find_results(folder, origin).results.networks) == 6


@pytest.mark.parametrize("name", FILES)
def test_each_changed_letter_is_noticed(folder, study, finished, name):
    """In each place of a row; the values of a number's last digit beyond the 15th may pass, being the same number."""
    origin = study_folder.origin_of(study, study.configuration["tasks"], {})
    whole = (finished / name).read_text()
    good = read_results(finished)
    start = whole.index("\n") + 1
    places = range(start, whole.index("\n", whole.index("\n", start) + 1))
    letters = np.random.default_rng(0).choice(list("0123456789.,-;eWaz \"\n'"), len(places))
    passed = 0
    for place, letter in zip(places, letters, strict=True):
        (folder / name).write_text(whole[:place] + letter + whole[place + 1 :])
        found = results_module.find_results(folder, origin)
        assert len(found.results.networks) >= 3
        if not found.faults:
            passed += 1
            for one, other in zip(found.results, good, strict=True):
                pd.testing.assert_frame_equal(one, other, rtol=1e-14)
    assert passed < 0.3 * len(places)  # letters that were there before, and digits that are no digits of the number


CHANGES = {
    "field": ("synthetic_column[24]", "6_6_2"),
    "sign": (",free,", ",positive,"),
    "protocol": (",published,", ",sound,"),
    "choice": (",min_max,", ",micrometres,"),
    "unknown task": (",go_nogo,", ",maze,"),
    "unknown variant": (",WD*C,", ",WDX,"),
    "status": (",ok,", ",fine,"),
    "a large run": (",WD*C,go_nogo,0,", f",WD*C,go_nogo,{10**30},"),
    "a negative run": (",WD*C,go_nogo,0,", ",WD*C,go_nogo,-1,"),
}


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("what", CHANGES)
def test_a_row_that_is_not_of_this_study_is_computed_again(folder, study, trained, capsys, what, old):
    if old:
        without_checks(folder)
    before = read_results(folder)
    rewrite(folder / "results.csv", lambda text: text.replace(*CHANGES[what], 1))
    changed = (folder / "results.csv").read_text()
    found = run_study(study, folder, progress=False)
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "results.csv: 1 of 6 networks are not as this study wrote them (line" in said
    assert "set aside as results.csv.corrupt-1" in said and "computed again" in said
    assert (folder / "results.csv.corrupt-1").read_text() == changed
    assert len(trained) == 1
    same(found, before)
    same(read_results(folder), before)


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("train_accuracy", 7.5), ("test_accuracy", -np.inf), ("test_accuracy", -0.1), ("train_loss", np.inf),
        ("penalty", np.nan), ("modularity", 3), ("seconds", -1), ("seed", 5), ("diverged_step", 4),
        ("assortativity", np.inf), ("entropy", -2),
    ],
)  # fmt: skip
def test_values_out_of_their_range_are_noticed_without_a_check(folder, study, trained, capsys, what, value):
    without_checks(folder)
    table = numbers(folder / "results.csv")
    table[what] = table[what].astype(object)
    table.loc[2, what] = value
    table.to_csv(folder / "results.csv", index=False)
    if what in results_module.RECORDED and np.isfinite(value):  # an end that agrees
        curves = numbers(folder / "curves.csv")
        curves.loc[5, what] = value
        curves.to_csv(folder / "curves.csv", index=False)
    run_study(study, folder, progress=False)
    assert trained == study.networks[2:3]
    assert "1 of 6 networks" in capsys.readouterr().err


@pytest.mark.parametrize("change", ["epoch gone", "epoch twice", "one more", "accuracy", "renumbered"])
def test_a_curve_that_is_not_whole_is_computed_again(folder, study, trained, capsys, change):
    without_checks(folder)
    before = read_results(folder)
    curves = numbers(folder / "curves.csv")
    if change == "epoch gone":
        curves = curves.drop(index=2)
    elif change == "epoch twice":
        curves = pd.concat([curves, curves.iloc[2:3]])
    elif change == "one more":
        curves = pd.concat([curves, curves.iloc[3:4].assign(epoch=3)])
    elif change == "accuracy":
        curves.loc[2, "test_accuracy"] = 1.5
    else:
        curves.loc[2, "epoch"] = 7
    curves.to_csv(folder / "curves.csv", index=False)
    found = run_study(study, folder, progress=False)
    assert trained == study.networks[1:2]
    assert "curves.csv: 1 of 6 networks" in capsys.readouterr().err
    same(found, before)


def test_rows_of_another_study_are_not_taken(folder, study, small, trained, tmp_path, capsys):
    """Of another field of the same name, other settings, another seed: what only the check or the seed tells."""
    other = replace(small, positions=small.positions + np.arange(3.0))
    for number, made in enumerate(
        (
            Study(other, study.variants, study.tasks, 2, settings=QUICK),
            replace(study, settings=replace(QUICK, batches=3)),
            replace(study, seed=1),
        )
    ):
        foreign = tmp_path / f"foreign {number}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("biornn_lite.study.run_networks", run_networks)
            run_study(made, foreign, progress=False)
        for name in FILES:
            shutil.copy(foreign / name, folder / name)
        trained.clear()
        run_study(study, folder, progress=False)
        assert sorted(trained) == sorted(study.networks)
        assert "6 of 6 networks" in capsys.readouterr().err


def test_a_finished_study_is_not_written_again(folder, study, trained):
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    run_study(study, folder, progress=False)
    assert not trained
    after = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    assert {name: after[name] for name in before if name != ".lock"} == {
        name: before[name] for name in before if name != ".lock"
    }


# Files that cannot be read, and files of other programs


@pytest.mark.parametrize("name", [*FILES, "study.json"])
@pytest.mark.parametrize("how", ["denied", "a folder", "a pipe"])
def test_a_file_that_cannot_be_read_is_no_corrupt_one(folder, study, trained, monkeypatch, name, how):
    if how in ("a folder", "a pipe"):
        (folder / name).unlink()
        (Path.mkdir if how == "a folder" else os.mkfifo)(folder / name)
    else:
        read = Path.read_text

        def denied(path, *more, **others):
            if path.name == name:
                raise PermissionError(13, "Permission denied", str(path))
            return read(path, *more, **others)

        monkeypatch.setattr(Path, "read_text", denied)
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(InputError, match=f"{name}: cannot be read") as error:
        run_study(replace(study, runs=3), folder, progress=False)
    assert "\n" not in str(error.value)
    assert sorted(path.name for path in folder.iterdir()) == before and not trained


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 50_000, "[]", '{"tasks": 3}'])
def test_a_configuration_that_is_none_gets_one_line(folder, study, content):
    (folder / "study.json").write_text(content)
    with pytest.raises(InputError, match=r"study\.json: unreadable"):
        run_study(study, folder, progress=False)


def test_letters_that_a_terminal_obeys_are_not_echoed(folder, study):
    noted = json.loads((folder / "study.json").read_text())
    noted["sign"] = "\x1b[31mfree\nand more"
    (folder / "study.json").write_text(json.dumps(noted))
    with pytest.raises(InputError) as error:
        run_study(study, folder, progress=False)
    assert str(error.value).isprintable() and "sign is ?[31mfree there" in str(error.value)
    with pytest.raises(InputError) as error:
        run_study(study, folder / "study.json" / "\x1b[1m", progress=False)
    assert str(error.value).isprintable()


def as_europe(table):
    return table.map(lambda cell: str(cell).replace(".", ",")).to_csv(sep=";", index=False)


def resaved(path, how):
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if how == "semicolons":
        text = table.to_csv(sep=";", index=False)
    elif how == "semicolons and decimal commas":
        text = as_europe(table)
    elif how == "tabs, BOM, CRLF":
        text = "\ufeff" + table.to_csv(sep="\t", index=False, lineterminator="\r\n")
    elif how == "another order":
        text = table[table.columns[::-1]].iloc[::-1].to_csv(index=False)
    elif how == "15 digits":
        text = numbers(path).to_csv(index=False, float_format="%.15g")
    elif how == "R":
        text = table.replace("", "NA").to_csv(index=False, quoting=2)
    else:
        text = table.assign(note="mine").to_csv(index=False)
    path.write_bytes(text.encode())


@pytest.mark.parametrize(
    "how",
    [
        "semicolons", "semicolons and decimal commas", "tabs, BOM, CRLF", "another order", "15 digits", "R",
        "another column",
    ],
)  # fmt: skip
def test_a_table_that_another_program_wrote_again_is_read(folder, study, trained, capsys, how):
    before = read_results(folder)
    for name in FILES:
        resaved(folder / name, how)
    found = run_study(study, folder, progress=False)
    said = capsys.readouterr().err
    assert not trained
    if how == "another column":
        assert said.count("\n") == 1 and "columns that a study does not keep (note, note)" in said
        assert "mine" in (folder / "results.csv.corrupt-1").read_text()
    else:
        assert said == ""
    for one, other in zip(found, before, strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=1e-14)


def test_a_study_goes_on_behind_a_table_with_semicolons(folder, study, trained):
    whole = read_results(folder)
    for name in FILES:
        resaved(folder / name, "semicolons")
    lines = (folder / "results.csv").read_text().splitlines(keepends=True)
    (folder / "results.csv").write_text("".join(lines[:3]))
    same(run_study(study, folder, progress=False), whole)
    assert len(trained) == 4
    same(read_results(folder), whole)


# Growing


def test_rows_are_added_and_not_written_again(folder, study, trained, monkeypatch, finished):
    """Each piece adds lines to both files; the whole tables are written at the beginning and at the end alone."""
    write, times = results_module.write_results, []
    append, sizes = results_module.append_results, []

    def count(*all_of_them):
        times.append(1)
        write(*all_of_them)

    def follow(piece, out, origin):
        before = (out / "results.csv").read_bytes()
        append(piece, out, origin)
        assert (out / "results.csv").read_bytes().startswith(before)
        sizes.append(len(read_results(out).networks))

    monkeypatch.setattr("biornn_lite.study.write_results", count)
    monkeypatch.setattr("biornn_lite.study.append_results", follow)
    monkeypatch.setattr("biornn_lite.study._side_by_side", lambda *_: 1)
    lines = (folder / "results.csv").read_text().splitlines(keepends=True)
    (folder / "results.csv").write_text("".join([*lines[:2], lines[2][:40]]))
    same(run_study(study, folder, progress=False), read_results(finished))
    assert sizes == [2, 3, 4, 5, 6] and len(times) == 2
    assert (folder / "results.csv").read_text() == (finished / "results.csv").read_text()
    assert (folder / "curves.csv").read_text() == (finished / "curves.csv").read_text()


def test_a_full_disk_gets_one_line(tmp_path, study, trained, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("biornn_lite.results.os.fsync", full)
    with pytest.raises(InputError, match=r"cannot be written|No space left"):
        run_study(study, tmp_path, progress=False)


# Where it was made


def test_another_machine_is_said_and_noted_and_does_not_stop_a_study(folder, study, trained, capsys):
    noted = json.loads((folder / "study.json").read_text())
    (here,) = noted["made_on"]
    assert set(here) == {"processor", "torch", "capability", "device"} and here["device"] == "cpu"
    other = here | {"processor": "Abacus\n9"}
    (folder / "study.json").write_text(json.dumps(noted | {"made_on": [other]}))
    run_study(study, folder, progress=False)
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "begun on another machine (Abacus, " in said
    assert json.loads((folder / "study.json").read_text())["made_on"] == [other, here]
    run_study(study, folder, progress=False)
    assert capsys.readouterr().err == "", "said once"


# Processes


@pytest.fixture
def started(monkeypatch, trained):
    """How many processes a study asks joblib for; none is started."""
    found = []

    def instead(calls, at_once):
        found.append(at_once)
        yield from (study_module._run_piece(*call) for call in calls)

    monkeypatch.setattr("biornn_lite.study._in_parallel", instead)
    with joblib.parallel_config("loky"):
        yield found


def test_no_more_processes_are_started_than_there_are_pieces(study, started, monkeypatch):
    monkeypatch.setattr(workers, "memory_left", lambda: None)
    run_study(replace(study, variants=("W",)), jobs=16, progress=False)
    assert started == [2]
    run_study(replace(study, variants=("W",), runs=1), jobs=16, progress=False)
    assert started == [2], "a single piece is for this process"


@pytest.mark.parametrize(("left", "processes"), [(100e6, []), (700e6, []), (1.2e9, [3]), (64e9, [6]), (None, [6])])
def test_no_more_processes_are_started_than_fit_into_the_memory(
    study, started, trained, monkeypatch, capsys, left, processes
):
    """At 700 MB left, as a JupyterHub of 1 GB has, this process computes by itself."""
    monkeypatch.setattr(workers, "memory_left", lambda: left and int(left))
    monkeypatch.setattr("biornn_lite.study._side_by_side", lambda *_: 1)
    run_study(study, jobs=6, progress=False)
    assert started == processes and len(trained) == 6
    said = capsys.readouterr().err
    assert said == "" if processes == [6] else said.count("\n") == 1 and "jobs is 6" in said


def tree(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_the_memory_that_is_left_is_the_least_of_all_limits(tmp_path):
    v2 = {
        "proc/meminfo": "MemTotal: 9000000 kB\nMemAvailable: 4000000 kB\n",
        "proc/self/cgroup": "0::/user/me\n",
        "sys/fs/cgroup/user/me/memory.max": "max\n",
        "sys/fs/cgroup/user/me/memory.current": "5\n",
        "sys/fs/cgroup/user/memory.max": "1000000000\n",
        "sys/fs/cgroup/user/memory.current": "700000000\n",
        "sys/fs/cgroup/user/memory.stat": "anon 5\ninactive_file 200000000\n",
    }
    assert workers.memory_left(tree(tmp_path / "v2", v2)) == 500_000_000
    v1 = {
        "proc/self/cgroup": "9:cpu:/\n4:memory:/outside/name\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000000000\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "400000000\n",
        "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 100000000\n",
    }
    assert workers.memory_left(tree(tmp_path / "v1", v1)) == 700_000_000
    none = {**v1, "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}
    assert workers.memory_left(tree(tmp_path / "none", none)) is None
    assert workers.memory_left(tree(tmp_path / "free", {**none, "proc/meminfo": "MemAvailable: 5 kB\n"})) == 5120
    assert workers.memory_left(tmp_path / "nowhere") is None


SCRIPT = """
import sys
import numpy as np
from biornn_lite.datasets import load_field
from biornn_lite.study import Study, run_networks, run_study
from biornn_lite.training import Settings

study = Study(load_field("synthetic_column"), ("W", "WD"), ("go_nogo",), 1,
              settings=Settings(epochs=1, batches=2, batch_size=16, test_trials=40))

def one(_):
    return len(run_networks(study, study.networks).networks)

"""


def run_script(tmp_path, more, **environment):
    (tmp_path / "script.py").write_text(SCRIPT + more)
    return subprocess.run(
        [sys.executable, tmp_path / "script.py"], capture_output=True, text=True, timeout=240, check=False,
        env=os.environ | environment,
    )  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("before", ["", "one(0)"])
def test_forked_processes_train(tmp_path, before):
    done = run_script(
        tmp_path,
        f"import multiprocessing, os, signal\n{before}\nsignal.alarm(200)\n"
        "with multiprocessing.get_context('fork').Pool(1) as pool:\n    print(pool.map(one, [0]))\n",
    )
    assert done.stdout == "[2]\n", done.stderr


def test_a_temporary_folder_with_any_letters_serves_two_processes(tmp_path):
    """As in the name of a Windows user."""
    folder = tmp_path / "Zoé Müller 東"
    folder.mkdir()
    done = run_script(
        tmp_path,
        "if __name__ == '__main__':\n    print(len(run_study(study, jobs=2, progress=False).networks))\n",
        TMPDIR=str(folder), JOBLIB_TEMP_FOLDER=str(folder),
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("2\n", "")


def test_folders_of_killed_studies_are_removed_and_no_others(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    bar = type("Bar", (), {"update": lambda self, n: None})()
    with workers.Progress([1], 1, bar) as running:
        used = running.note(0).parent
        (left, young) = (tmp_path / f"biornn_lite-progress-{name}" for name in ("left", "young"))
        for folder in (left, young):
            folder.mkdir()
            (folder / "0").write_text("..")
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "biornn_lite-progress-link").symlink_to(tmp_path / "elsewhere")
        hours_ago = time.time() - 7200
        for folder in (left, used, tmp_path / "elsewhere"):
            os.utime(folder, (hours_ago, hours_ago))
        with workers.Progress([1], 1, bar):
            assert not left.exists() and young.exists() and used.exists() and (tmp_path / "elsewhere").exists()
    assert not used.exists()


def test_a_protocol_with_numbers_comes_back(tmp_path, small):
    study = Study(small, ("WD",), ("go_nogo",), 1, protocol=Protocol(penalty_weight=1 / 3), settings=QUICK)
    found = run_study(study, tmp_path, progress=False)
    same(run_study(study, tmp_path, progress=False), found)
    same(read_results(tmp_path), found)
