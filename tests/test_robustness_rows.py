"""The script of robustness trains, measures and packs, and goes on; shipped rows and networks are what they say."""

import hashlib
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, script

from biornn_lite import robustness_studies, robustness_verdict, trained_networks
from biornn_lite.audit import Part, variant
from biornn_lite.datasets import read_released
from biornn_lite.errors import InputError
from biornn_lite.psychometric import COHERENCES
from biornn_lite.results import KEY, RECORDED, read_results
from biornn_lite.robustness import accuracies
from biornn_lite.robustness_studies import STUDIES
from biornn_lite.robustness_verdict import MAIN, POINTS, TABLES, gains_of, load_robustness
from biornn_lite.seeds import run_seed
from biornn_lite.study import run_networks
from biornn_lite.tasks import TASKS
from biornn_lite.trained_networks import SHIPPED, load_trained_networks, write_trained_networks
from biornn_lite.training import Settings, held_out_trials

TINY = Settings(epochs=1, batches=2, batch_size=8, test_trials=32)


@pytest.fixture(scope="module")
def make():
    return script("data/make_robustness.py")


@pytest.fixture
def here(make, tmp_path, monkeypatch):
    """A folder for the packed tables, and few trials for each measure."""
    for what, few in {"ALL_TRIALS": 32, "SOME_TRIALS": 16, "FEW_TRIALS": 8, "TRIALS_PER_COHERENCE": 8}.items():
        monkeypatch.setattr(robustness_studies, what, few)
    monkeypatch.setattr(make, "HERE", tmp_path / "data")
    return tmp_path / "data"


def tiny(name: str = "5120 trials", tasks=("go_nogo",), runs: int = 1) -> Part:
    variants = ("W*D*", *(variant(start, "D*", "no C") for start in ("0.95 I", "orthogonal")))
    return Part("no penalty", name, "5_3_4", variants, tasks, runs, 21, settings=TINY)


def train(make, part, field, out, **more):
    make.make(part, field, out, jobs=1, progress=False, retraining=TINY, **more)


def test_a_part_is_trained_measured_and_packed_with_its_plan(make, small, here, tmp_path):
    out = tmp_path / "out"
    whole, few = tiny(tasks=("go_nogo", "perceptual_decision_making")), tiny("640 trials", runs=2)
    for part in (whole, few):
        train(make, part, small, out)
    make.pack(out)
    networks, curves, measures = (pd.read_csv(here / name) for name in TABLES)
    plan = (ROOT / "docs" / "robustness_plan.md").read_bytes()
    assert set(networks["plan"]) == {hashlib.sha256(plan).hexdigest()[:12]} and len(networks) == 12
    assert set(networks["seed"]) == {run_seed(21, run) for run in range(2)}
    assert set(curves["part"]) == {"5120 trials"} and len(curves) == 6
    ends = measures[measures["measure"] == "accuracy"].merge(networks, on=["study", "part", *KEY])
    assert len(ends) == 12 and np.allclose(ends["value"], ends["test_accuracy"], atol=1e-5)
    of = measures.groupby("part")["measure"].nunique()
    assert of["640 trials"] == 1 and of["5120 trials"] > 30
    keys = ["study", "part", *KEY, "measure", "severity"]
    assert list(measures) == [*keys, "value"] and not measures.duplicated(keys).any()
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    (out / "trained_networks" / "go_nogo").mkdir(parents=True)
    shutil.copy(make.folder_of(few, out) / "results.csv", out / "trained_networks" / "go_nogo")
    make.pack(out)
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before


def test_it_goes_on_where_it_was_stopped(make, small, here, tmp_path, monkeypatch):
    part, out, measured = tiny(runs=2), tmp_path / "out", []
    folder, own = make.folder_of(part, out), make.measured

    def measure(networks, *rest):
        if len(measured) == 1:
            raise KeyboardInterrupt
        measured.append(len(networks.w))
        return own(networks, *rest)

    with monkeypatch.context() as m:
        m.setattr(make, "measured", measure)
        with pytest.raises(KeyboardInterrupt):
            train(make, part, small, out)
    rows, first = (folder / "results.csv").read_bytes(), make.measures_of(folder)
    assert first[KEY].drop_duplicates().shape == (3, 3), "a group is the variants of one task and run"
    with monkeypatch.context() as m:
        m.setattr("biornn_lite.study.train", lambda *_: pytest.fail("trained again"))
        train(make, part, small, out)
        assert (folder / "results.csv").read_bytes() == rows
        after = make.measures_of(folder)
        assert len(after) == 2 * len(first) and after.merge(first).equals(first)
        m.setattr(make, "measured", lambda *_: pytest.fail("measured again"))
        train(make, part, small, out, forget=True)
        assert not (folder / "networks").exists()
        train(make, part, small, out)
    more = replace(part, runs=3)
    train(make, more, small, out, forget=True)
    assert len(make.measures_of(folder)) == 3 * len(first) and len(read_results(folder).networks) == 9


def test_networks_without_measures_are_not_packed(make, small, here, tmp_path):
    part, out = tiny(runs=2), tmp_path / "out"
    train(make, part, small, out)
    (gone, *_) = sorted((make.folder_of(part, out) / "measures").iterdir())
    run = pd.read_csv(gone)["run"].unique().tolist()
    gone.unlink()
    make.pack(out)
    networks, curves, measures = (pd.read_csv(here / name) for name in TABLES)
    assert len(run) == 1 and len(networks) == len(curves) == 3
    assert set(networks["run"]) == set(curves["run"]) == set(measures["run"]) == {0, 1} - set(run)


def test_later_runs_are_added_to_the_packed_rows(make, small, here, tmp_path):
    for name in ("5120 trials", "640 trials"):
        train(make, tiny(name, runs=3), small, tmp_path / "at once")
    make.pack(tmp_path / "at once")
    at_once = {path.name: path.read_bytes() for path in here.iterdir()}
    for name in ("5120 trials", "640 trials"):
        train(make, tiny(name, runs=2), small, tmp_path / "first")
    make.pack(tmp_path / "first")
    before = pd.read_csv(here / TABLES[0])
    for name in ("5120 trials", "640 trials"):
        part = tiny(name, runs=3)
        train(make, part, small, tmp_path / "later", first_run=2, forget=True)
        assert set(read_results(make.folder_of(part, tmp_path / "later")).networks["run"]) == {2}
    for _ in range(2):
        make.pack(tmp_path / "later", add=True)
        for name in TABLES[1:]:
            assert (here / name).read_bytes() == at_once[name]
    after = pd.read_csv(here / TABLES[0])
    assert len(before) == 12 and len(after) == 18
    old = after["run"] < 2
    pd.testing.assert_frame_equal(after[old].reset_index(drop=True), before)
    for name in ("5120_trials", "640_trials"):
        (tmp_path / "later" / "no_penalty" / name / make.PLAN_FILE).write_text("0123456789ab")
    with pytest.raises(InputError, match="another plan; pack all runs anew"):
        make.pack(tmp_path / "later", add=True)


def test_measures_do_not_depend_on_the_group(make, small, here, tmp_path, monkeypatch):
    part, found = tiny(), []
    for name, size in (("together", 7), ("alone", 1)):
        monkeypatch.setattr(make, "SIDE_BY_SIDE", size)
        train(make, part, small, tmp_path / name)
        found.append(make.measures_of(make.folder_of(part, tmp_path / name)))
    keys = [*KEY, "measure", "severity"]
    both = found[0].merge(found[1], on=keys, suffixes=("", "_alone"))
    assert len(both) == len(found[0]) == len(found[1])
    np.testing.assert_allclose(both["value"], both["value_alone"], rtol=1e-3, atol=0.13)  # a trial or two of 16
    assert np.isclose(both["value"], both["value_alone"], rtol=1e-4, equal_nan=True).mean() > 0.97


def test_a_diverged_network_has_a_row_and_no_measures(make, small, here, tmp_path):
    part = replace(tiny(), settings=replace(TINY, learning_rate=1e30))
    train(make, part, small, tmp_path)
    folder = make.folder_of(part, tmp_path)
    assert set(read_results(folder).networks["status"]) == {"diverged"}
    assert make.measures_of(folder).empty and make.complete(part.on(small), folder)
    make.pack(tmp_path)
    assert len(pd.read_csv(here / TABLES[0])) == 3


def test_rows_of_another_plan_are_not_continued(make, small, here, tmp_path, monkeypatch):
    (tmp_path / "plan.md").write_text("Another plan.", encoding="utf-8")
    train(make, tiny("640 trials"), small, tmp_path / "out")
    monkeypatch.setattr(make, "PLAN", tmp_path / "plan.md")
    with pytest.raises(InputError, match="follow another plan"):
        train(make, tiny("640 trials", runs=2), small, tmp_path / "out")
    with pytest.raises(InputError, match="no rows here to pack"):
        make.pack(tmp_path / "empty")


# Shipped rows


@pytest.fixture(scope="module")
def rows():
    return load_robustness()


def planned(study):
    """The parts of a study by name."""
    return {part.name: part for part in robustness_studies.parts(study)}


def test_rows_follow_the_plan_that_is_there(rows):
    plan = (ROOT / "docs" / "robustness_plan.md").read_text(encoding="utf-8")
    assert set(rows.networks["plan"]) == {hashlib.sha256(plan.encode()).hexdigest()[:12]}


@pytest.mark.parametrize("study", STUDIES)
def test_every_network_is_of_the_plan_and_only_last_runs_are_missing(rows, study):
    mine = rows.networks[rows.networks["study"] == study]
    there = set(zip(mine["part"], mine["variant"], mine["task"], mine["run"], mine["seed"], strict=True))
    wanted = set()
    for name, part in planned(study).items():
        runs = mine.loc[mine["part"] == name, "run"].nunique()
        assert runs <= part.runs and (runs or name != MAIN), name
        names = [v if isinstance(v, str) else v.name for v in part.variants]
        wanted |= {(name, v, task, run, run_seed(23, run)) for v in names for task in TASKS for run in range(runs)}
    assert len(there) == len(mine) and there == wanted


@pytest.mark.parametrize("study", STUDIES)
def test_rows_carry_the_choices_of_their_part(rows, study):
    for name, mine in rows.networks[rows.networks["study"] == study].groupby("part"):
        part = planned(study)[name]
        assert set(mine["field"]) == {"5_3_4"} and set(mine["sign"]) == {part.sign}
        for choice, value in {**vars(part.protocol), **vars(part.settings)}.items():
            (there,) = set(mine[choice])
            assert there == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value), choice
        assert (mine["epochs"] * mine["batches"] == 400).all()


def test_every_network_that_did_not_diverge_is_measured(rows):
    keys = ["study", "part", *KEY]
    ok = rows.networks[rows.networks["status"] == "ok"]
    assert ok["test_accuracy"].between(0, 1).all()
    counts = rows.measures.groupby(keys).size()
    assert set(counts.index) == set(ok[keys].itertuples(index=False, name=None))
    perceptual = counts.index.get_level_values("task").str.startswith("perceptual")
    main = counts.index.get_level_values("part") == MAIN
    assert (counts[~main] == 1).all()
    (few,), (more,) = (set(counts[main & of]) for of in (~perceptual, perceptual))
    assert more == few + len(COHERENCES) + 2 and few > len(POINTS)
    gains = gains_of(rows)
    assert gains.notna().all(axis=None) and len(gains) == (rows.networks["part"] == MAIN).sum()


def test_curves_end_where_rows_do(rows):
    keys = ["study", "part", *KEY]
    last = rows.curves[rows.curves["epoch"] == rows.curves.groupby(keys)["epoch"].transform("max")]
    ok = rows.networks[(rows.networks["status"] == "ok") & (rows.networks["part"] == MAIN)]
    joined = last.merge(ok, on=keys, suffixes=("", "_row"))
    assert len(joined) == len(ok)
    for what in set(RECORDED) - {"test_accuracy"}:
        np.testing.assert_allclose(joined[what], joined[f"{what}_row"], rtol=5.01e-3, err_msg=what)  # three digits
    np.testing.assert_allclose(joined["test_accuracy"], joined["test_accuracy_row"], atol=0.002)


def test_rows_come_out_again(microns, rows):
    part = planned("no penalty")[MAIN]
    name = "0.95 I | D* | no C"
    (start,) = [v for v in part.variants if v.name == name]
    study = replace(part, variants=(start,), tasks=("go_nogo",)).on(read_released(microns / part.field))
    trained = run_networks(study, [(name, "go_nogo", 0)]).networks.iloc[0]
    mine = rows.networks.set_index(["study", "part", *KEY]).loc[("no penalty", MAIN, name, "go_nogo", 0)]
    # Other processors round differently, and training amplifies it.
    assert trained["test_accuracy"] == pytest.approx(mine["test_accuracy"], abs=0.02)
    assert trained["seed"] == mine["seed"]


def test_packed_files_are_small_enough_to_track():
    for name in TABLES:
        assert (ROOT / "data" / "robustness" / name).stat().st_size < 1_000_000, name


def test_without_the_files_it_is_said(monkeypatch, tmp_path):
    robustness_verdict._shipped.cache_clear()
    monkeypatch.setattr(robustness_verdict, "data_folder", lambda: tmp_path)
    with pytest.raises(InputError, match=r"networks.csv.gz: no such file; in a clone, data/make_robustness.py"):
        load_robustness()


def test_the_page_says_what_the_rows_say(rows):
    page = (ROOT / "docs" / "robustness.md").read_text(encoding="utf-8")
    made = script("docs/make_robustness_page.py")
    assert script("docs/pictures.py").described(made.compose(), made.figures()) == page
    words = robustness_verdict.verdicts(robustness_verdict.answers(rows))
    for claim, row in words.iterrows():
        cells = [f"*{claim}*", row["published penalty"], row["no penalty"], f"**{row['word']}**"]
        assert f"| {' | '.join(cells)} |" in page


# Shipped networks


def test_readme_and_notebook_say_what_the_rows_say():
    """The figures in their sentences, which no code writes."""
    rows = load_robustness()
    answers = robustness_verdict.answers(rows).set_index(["score", "context", "against"])
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for score, told in (
        ("robust", "0.04 [0.01, 0.06]"),
        ("edge", "0.19 [0.16, 0.22]"),
        ("stable", "0.12 [0.03, 0.24]"),
    ):
        row = answers.loc[(score, "no penalty", "orthogonal")]
        assert told == f"{row['difference']:.2f} [{row['low']:.2f}, {row['high']:.2f}]" and told in readme
    for context, against, told in (
        ("published penalty", "orthogonal", "0.85 [0.76, 0.92] more than `WD*C*`"),
        ("published penalty", "0.95 I", "0.13 [0.06, 0.22] less than 0.95 I"),
    ):
        row = answers.loc[("less data", context, against)]
        low, high = sorted(abs(row[["low", "high"]]))
        assert told.startswith(f"{abs(row['difference']):.2f} [{low:.2f}, {high:.2f}]") and told in readme
        assert (row["difference"] < 0) == ("less" in told)
    without = answers.sort_index().loc[("less data", "no penalty")]
    assert without["says"].to_dict() == {"orthogonal": "unclear", "diagonal alone": "unclear", "0.95 I": "no better"}
    worse = without[without["says"] == "no better"].iloc[0]
    assert np.round([worse["difference"], worse["p_holm"]], 2).tolist() == [-0.06, 0.03]
    signs = [answers.loc[(family, "no penalty", "orthogonal"), "difference"] for family in ("pruning", "precision")]
    assert np.round(signs, 2).tolist() == [0.20, -0.21]
    for claim in ("less data", "robust", "stable", "edge"):
        assert answers.loc[(claim, "published penalty", "diagonal alone"), "says"] == "no better"
    assert set(robustness_verdict.verdicts(answers.reset_index())["word"]) == {"open"}
    words = robustness_verdict.verdicts(answers.reset_index())
    assert words.loc["less data", "published penalty"] == "holds for any identity-like start"
    assert words.loc["robust", "no penalty"] == "not supported"
    learned = rows.networks[rows.networks["part"] == MAIN].groupby("variant")["learns"].agg(["sum", "size"])
    assert learned.loc["WD*C*"].tolist() == [0, 60] and learned.loc["WD*C"].tolist() == [41, 60]
    curves = robustness_verdict.curve_table(robustness_verdict.shown_rows(rows), robustness_verdict.AFTER)
    one = curves[(curves["task"] == "one_choice_inference") & (curves["severity"] == 1) & (curves["learned"] > 10)]
    assert (one.loc[~one["variant"].str.startswith("0.95 I"), "retained"] < 0.1).all(), "the answer is lost"
    bounded = robustness_verdict.measure_table(robustness_verdict.shown_rows(rows), ["bounded, noise"])
    often = curves.groupby(["study", "variant"])["learned"].min().loc[lambda learned: learned > 10].index
    assert (bounded.groupby(["study", "variant"])["mean"].mean().loc[often] < 0.5).all()


def test_the_notebook_says_what_pruning_leaves_as_the_page_does():
    page = (ROOT / "docs" / "robustness.md").read_text(encoding="utf-8")
    lines = page.partition("### Pruning")[2].splitlines()
    left = []
    for name in ("W*D*C", "WD*C"):
        cells = next(line for line in lines if line.startswith(f"| published penalty | `{name}` |")).split(" | ")
        left.append(cells[5].split()[0])  # after 50, 20 and 10 %
    notebook = (ROOT / "notebooks" / "source" / "12_robustness_and_cost.ipynb").read_text(encoding="utf-8")
    assert f"functional starts keep {left[0]} and orthogonal ones {left[1]}" in notebook


def test_the_notebook_says_how_fast_the_forms_were():
    table = pd.read_csv(ROOT / "data" / "robustness" / "deployment.csv")
    seconds = table.groupby(["runtime", "kept"])["trial_ratio"].median()
    int8, plain = (seconds[name, 1.0] for name in ("ONNX int8", "ONNX float32"))
    assert f"{int8 / plain:.1f}" == f"{seconds['SciPy sparse', 0.1]:.1f}" == "1.2"
    assert f"{seconds['NumPy', 1.0]:.1f}" == "0.2", "a fifth"


@pytest.fixture(scope="module")
def shipped(make, small, tmp_path_factory):
    """A file of networks as the script writes it, of a smaller field and trained for a moment."""
    out = tmp_path_factory.mktemp("shipped")
    with pytest.MonkeyPatch.context() as m:
        m.setattr(make, "HERE", out)
        make.make_networks(small, out, jobs=1, progress=False, settings=TINY)
    return out / "trained_networks.npz"


def test_there_are_twenty_networks_with_controls():
    assert len(SHIPPED) == len(set(SHIPPED)) == 20 and {task for _, task, _ in SHIPPED} == set(TASKS)
    assert {"functional", "diagonal alone", "0.95 I", "orthogonal"} < {start for start, _, _ in SHIPPED}


def test_loaded_networks_are_those_that_were_trained(shipped):
    found = load_trained_networks(shipped)
    assert [(n.start, n.task, n.run) for n in found] == list(SHIPPED)
    for network in found:
        assert network.seed == run_seed(21, network.run)
        trials = held_out_trials(TASKS[network.task], [network.seed], 32)
        assert accuracies(network.networks, *trials) == network.test_accuracy
    assert len({network.state["w"].tobytes() for network in found}) == 20


def rewritten(path, out, change):
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(out, **arrays)
    return out


def nudge(arrays):
    arrays["3.w"] = arrays["3.w"] + np.float32(1e-6)


def of_another_task(arrays):
    for part in ("w", "w_in", "b", "w_out", "b_out"):
        arrays[f"0.{part}"] = arrays[f"1.{part}"]


DAMAGE = {
    "its weights are not those of its digest": nudge,
    "7.w_out is missing": lambda arrays: arrays.pop("7.w_out"),
    "extra is not a part of it": lambda arrays: arrays.update(extra=np.ones(2)),
    "has infinite values or NaN": lambda arrays: arrays.update({"2.b": arrays["2.b"] * np.nan}),
    "w of .* is float64": lambda arrays: arrays.update({"0.w": arrays["0.w"].astype(float)}),
    r"w_in of .* is float32 of shape \(3, 24\)": of_another_task,
    "test accuracies": lambda arrays: arrays.update(test_accuracy=np.full(20, 1.1)),
    "Object arrays cannot be loaded": lambda arrays: arrays.update({"0.w": np.array([{}], dtype=object)}),
}


@pytest.mark.parametrize("message", DAMAGE)
def test_a_changed_file_is_refused_in_one_line(message, shipped, tmp_path):
    path = rewritten(shipped, tmp_path / "changed.npz", DAMAGE[message])
    with pytest.raises(InputError, match=f"not the networks of synthetic_column .*{message}") as error:
        load_trained_networks(path)
    assert "\n" not in str(error.value)


def test_other_files_are_refused(shipped, tmp_path):
    path = tmp_path / "text.npz"
    path.write_text("not an archive")
    with pytest.raises(InputError, match="not the networks"):
        load_trained_networks(path)
    path.write_bytes(shipped.read_bytes()[:-200])
    with pytest.raises(InputError, match="not the networks"):
        load_trained_networks(path)
    with path.open("wb") as file:
        file.truncate(trained_networks.LARGEST + 1)
    with pytest.raises(InputError, match="too large"):
        load_trained_networks(path)
    with pytest.raises(InputError, match="no such file"):
        load_trained_networks(tmp_path / "none.npz")
    with pytest.raises(InputError, match="20 of the 20 networks are missing"):
        write_trained_networks(tmp_path / "out.npz", {}, {})
