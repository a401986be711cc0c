"""The script of the look inside trains, measures and packs, and goes on; shipped rows are what they say."""

import hashlib
import tomllib
from argparse import Namespace
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, script
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold, cross_val_score

from biornn_lite import dynamics_studies
from biornn_lite.audit import PLANNED_STARTS, Part, variant
from biornn_lite.datasets import read_released
from biornn_lite.dynamics import cued_trials
from biornn_lite.dynamics_studies import COMPARED_STARTS, OTHER_STARTS, STUDIES, WHEN, Measured, measured, part_of
from biornn_lite.errors import InputError
from biornn_lite.network import networks_of
from biornn_lite.priors import Priors
from biornn_lite.replication import read_shipped
from biornn_lite.results import KEY, read_results
from biornn_lite.robustness import accuracies, others_cut, self_connections_cut
from biornn_lite.seeds import run_seed
from biornn_lite.study import train_networks
from biornn_lite.tasks import TASKS
from biornn_lite.training import Settings, held_out_trials, initial_networks

TINY = Settings(epochs=1, batches=2, batch_size=8, test_trials=32)
TABLES = ("networks.csv.gz", "measures.csv.xz", "distances.csv.xz")
NETWORK = ["study", "part", *KEY]
PLAN = hashlib.sha256((ROOT / "docs" / "dynamics_plan.md").read_bytes()).hexdigest()[:12]
TIMES = ("cue end", "middle", "memory end", "last step")
UNITS = (
    "all", "largest self-connections", "smallest self-connections", "at random", "communities (mean)",
    "communities (best)",
)  # fmt: skip
CUTS = ("as trained", "diagonal", "others", "within communities", "between communities")
AT = {
    "accuracy": CUTS,
    "communities": ("",),
    "decoding": tuple(f"{units}, {time}" for units, time in product(UNITS, TIMES)),
    "mantel r": ("memory end",),
    "mantel p": ("memory end",),
    "fixed points": ("found", "stable", "share of starts that ended"),
    "memory eigenvalue": ("",),
    "time constant": ("",),
    "difference left": ("1", "10", "100"),
}
FATES = ("attractors", "decay", "slow or moving", "unbounded")


@pytest.fixture(scope="module")
def make():
    return script("data/make_dynamics.py")


@pytest.fixture
def few(monkeypatch):
    """Few trials for each measure."""
    for what, count in {"ACCURACY_TRIALS": 32, "CUED_TRIALS": 60, "RANDOM_STATES": 4}.items():
        monkeypatch.setattr(dynamics_studies, what, count)


def told(trained, first, task, seeds, positions):
    """Measure in no time: the sums of all recurrent weights."""
    sums = {
        when: networks.w.detach().sum((1, 2)).tolist() for when, networks in zip(WHEN, (first, trained), strict=True)
    }
    rows = [(k, when, "sum", "", value) for when, values in sums.items() for k, value in enumerate(values)]
    measures = pd.DataFrame(rows, columns=["network", "when", "measure", "at", "value"])
    far = measures[["network", "when"]].assign(pair=0, distance=measures["value"])
    return Measured(measures, far)


@pytest.fixture
def here(make, tmp_path, monkeypatch):
    """A folder for the packed tables, and measures that take no time."""
    monkeypatch.setattr(make, "HERE", tmp_path / "data")
    monkeypatch.setattr(make, "measured", told)
    return tmp_path / "data"


def tiny(study: str = "no penalty", tasks=("go_nogo",), runs: int = 1, **more) -> Part:
    variants = tuple(variant(start, "D*", "no C") for start in ("functional", "0.95 I", "orthogonal"))
    return Part(study, "published", "5_3_4", variants, tasks, runs, 24, **{"settings": TINY} | more)


def train(make, part, field, out):
    make.make(part, field, out, jobs=1, progress=False)
    return make.folder_of(part, out)


# Studies


def test_the_studies_are_those_of_the_plan():
    assert PLAN == "b5babc0ae1a7"
    parts = {study: part_of(study) for study in STUDIES}
    sizes = {study: len(part.variants) * len(part.tasks) * part.runs for study, part in parts.items()}
    assert sizes["no penalty"] + sizes["published penalty"] == 432
    for study, weight, target in (("no penalty", 0, "none"), ("published penalty", 0.3, "empirical")):
        part = parts[study]
        assert part.protocol.penalty_weight == weight and {v.communicability for v in part.variants} == {target}
        assert [v.name.split(" | ")[0] for v in part.variants] == [*COMPARED_STARTS]
    others = [v.name.split(" | ")[0] for v in parts["other starts"].variants]
    assert sorted([*others, *COMPARED_STARTS]) == sorted(PLANNED_STARTS) and tuple(others) == OTHER_STARTS
    assert parts["other starts"].runs == 4 and parts["other starts"].protocol == parts["no penalty"].protocol
    for part in parts.values():
        assert (part.field, part.seed, part.settings) == ("5_3_4", 24, Settings()) and set(part.tasks) == set(TASKS)
        assert (part.protocol.coordinates, part.protocol.units) == ("transposed", "micrometres")
        assert {v.space for v in part.variants} == {"cortical"}
    with pytest.raises(InputError, match="no study 'none'; there are no penalty, "):
        part_of("none")


# What is measured


def of_start(small, weights, task, seed=3):
    """A network with its start's first weights."""
    start = Priors(small, part_of("no penalty").protocol).start(variant(weights, "D*", "no C"), seed)
    return initial_networks([start], TASKS[task], [seed])


def as_sets(measures):
    return {when: set(zip(of["measure"], of["at"], strict=True)) for when, of in measures.groupby("when")}


@pytest.mark.parametrize("task", TASKS)
def test_every_measure_of_the_plan_is_there(small, few, task):
    first, trained = of_start(small, "0.5 I", task), of_start(small, "functional", task)
    measures, distances = measured(trained, first, task, [3], small.positions)
    assert set(measures["network"]) == {0} and not measures.duplicated(["when", "measure", "at"]).any()
    found, wanted = as_sets(measures), {(measure, at) for measure, each in AT.items() for at in each}
    for when in WHEN:
        fates = {at for measure, at in found[when] if measure == "fate"}
        assert len(fates) == 1 and fates <= set(FATES)
        kept = {("kept tuning", "memory end")} if when == "trained" else set()
        assert found[when] == wanted | kept | {("fate", at) for at in fates}
    conditions = 4 * (4 if task == "one_choice_inference" else 2)
    assert distances.groupby("when")["pair"].apply(list).map(len).tolist() == [conditions * (conditions - 1) // 2] * 2
    value = measures.set_index(["when", "measure", "at"])["value"].sort_index()
    eigenvalue = value["trained", "memory eigenvalue", ""]
    assert value["trained", "time constant", ""] == pytest.approx(-1 / np.log(eigenvalue))
    chances = value[:, "decoding"]
    assert chances.between(0, 1).all() and chances["trained", "all, cue end"] == 1
    for units in UNITS:
        same = chances["trained", f"{units}, last step"] == chances["trained", f"{units}, memory end"]
        assert same or task != "perceptual_decision_making"
    assert value["trained", "fixed points", "found"] >= value["trained", "fixed points", "stable"] >= 1
    trials = [each[..., :32, :] if each.ndim == 4 else each[:, :32] for each in held_out_trials(task, [3])]
    for at, networks in {
        "as trained": trained,
        "diagonal": self_connections_cut(trained),
        "others": others_cut(trained),
    }.items():
        assert value["trained", "accuracy", at] == accuracies(networks, *trials)[0]


@pytest.mark.parametrize(
    ("task", "steps", "memory_input"),
    [
        ("one_choice_inference", (19, 24, 29, 49), [0] * 8),
        ("go_nogo", (24, 29, 34, 39), [1, 0, 0]),
        ("perceptual_decision_making", (30, 35, 40, 40), [1, 0, 0]),
    ],
)
def test_the_times_of_a_trial_are_those_of_the_plan(small, few, task, steps, memory_input):
    """Against scikit-learn at steps counted by hand, and the eigenvalues of the active units."""
    trained = of_start(small, "functional", task)
    found = measured(trained, trained, task, [3], small.positions).measures.set_index(["when", "measure", "at"])[
        "value"
    ]
    trials = cued_trials(task, [3], 60)
    states, cues = trained.activity(trials.x)[list(steps), 0].double().numpy(), trials.cues[0].numpy()
    decoder = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    folds = StratifiedKFold(5, shuffle=True, random_state=3)
    for time, h in zip(TIMES, states, strict=True):
        fires = np.ptp(h, axis=0) > 0
        score = (
            cross_val_score(decoder, h[:, fires], cues, cv=folds).mean() if fires.any() else 1 / len(np.unique(cues))
        )
        assert found["trained", "decoding", f"all, {time}"] == pytest.approx(score, abs=0.02), time
    w, w_in = (each.detach().double().numpy()[0] for each in (trained.w, trained.w_in))
    means = [states[2][cues == cue].mean(0) for cue in np.unique(cues)]
    active = [mean @ w + np.array(memory_input) @ w_in > 0 for mean in means]
    largest = [np.abs(np.linalg.eigvals(w * each)).max() for each in active]
    assert found["trained", "memory eigenvalue", ""] == pytest.approx(np.mean(largest), rel=1e-5)


def test_equal_networks_are_measured_as_equal_alone_and_together(small, few):
    states = [of_start(small, start, "go_nogo").state_of_run(0) for start in ("functional", "orthogonal")]
    alone = measured(*[networks_of(states[1:])] * 2, "go_nogo", [3], small.positions)
    both = measured(networks_of(states), networks_of([states[1], states[1]]), "go_nogo", [3, 3], small.positions)
    keys = ["when", "measure", "at"]
    for table, key, value in zip(alone, (keys, ["when", "pair"]), ("value", "distance"), strict=True):
        first, after = (
            of.drop(columns=["when"]) for _, of in table[table.iloc[:, 2] != "kept tuning"].groupby("when")
        )
        pd.testing.assert_frame_equal(first.reset_index(drop=True), after.reset_index(drop=True))
        second = both.measures if value == "value" else both.distances
        joined = table.merge(second[second["network"] == 1], on=key, suffixes=("", "_too"))
        assert len(joined) == len(table)
        np.testing.assert_allclose(joined[value], joined[f"{value}_too"], rtol=1e-3, atol=0.05)
        assert np.isclose(joined[value], joined[f"{value}_too"], rtol=1e-4, atol=1e-6, equal_nan=True).mean() > 0.95
    kept = both.measures[both.measures["measure"] == "kept tuning"].set_index("network")["value"]
    assert kept[1] == pytest.approx(1) and kept[0] < 0.99


def test_a_network_that_overflows_is_unbounded_and_has_nothing_of_states(small, few):
    good = of_start(small, "0.5 I", "go_nogo").state_of_run(0)
    wild = good | {"w": 1e6 * np.eye(24, dtype=np.float32)}
    networks = networks_of([wild, good])
    measures, distances = measured(networks, networks, "go_nogo", [3, 3], small.positions)
    of_wild = measures[measures["network"] == 0].drop(columns="network")
    for found in as_sets(of_wild).values():
        assert found == {*(("accuracy", what) for what in CUTS), ("communities", ""), ("fate", "unbounded")}
    assert set(distances["network"]) == {1} and (measures["measure"] == "kept tuning").sum() == 1


@pytest.mark.parametrize(
    ("seeds", "neurons", "message"),
    [([3, 3], 24, "1 trained networks, 1 first ones and 2 seeds"), ([3], 23, r"shape \(23, 3\); \(24, 3\)")],
)
def test_what_does_not_belong_together_is_refused(small, few, seeds, neurons, message):
    networks = of_start(small, "0.5 I", "go_nogo")
    with pytest.raises(InputError, match=message):
        measured(networks, networks, "go_nogo", seeds, small.positions[:neurons])


# The script


def test_a_part_is_trained_measured_and_packed_with_its_plan(make, small, here, few, tmp_path, monkeypatch):
    monkeypatch.setattr(make, "measured", measured)
    part = tiny(tasks=("go_nogo", "perceptual_decision_making"))
    train(make, part, small, tmp_path / "out")
    make.pack(tmp_path / "out")
    networks, measures, distances = (read_shipped(here / name) for name in TABLES)
    assert len(networks) == 6 and set(networks["seed"]) == {run_seed(24, 0)}
    for table in (networks, measures, distances):
        assert set(table["plan"]) == {PLAN} and len(table[NETWORK].drop_duplicates()) == 6
    assert list(measures) == [*NETWORK, "when", "measure", "at", "value", "plan"]
    assert list(distances) == [*NETWORK, "when", "pair", "distance", "plan"]
    assert not measures.duplicated([*NETWORK, "when", "measure", "at"]).any()
    assert (distances.groupby([*NETWORK, "when"]).size() == 28).all() and distances["distance"].between(0, 2).any()
    ends = measures[(measures["at"] == "as trained") & (measures["when"] == "trained")].merge(networks, on=NETWORK)
    assert len(ends) == 6 and np.allclose(ends["value"], ends["test_accuracy"], atol=1e-5)
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    make.pack(tmp_path / "out")
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before


def test_first_weights_are_those_from_which_the_training_began(make, small, here, tmp_path):
    still, moves = replace(TINY, learning_rate=0.0), replace(TINY, learning_rate=0.1)
    for settings, same in ((still, True), (moves, False)):
        folder = train(make, tiny(runs=2, settings=settings), small, tmp_path / f"{same}")
        table = make.read_groups(folder).pivot_table("value", KEY, "when")
        assert len(table) == 6 and (np.isclose(table["first weights"], table["trained"]) == same).all()
        assert table["trained"].nunique() > 4
        if same:
            start = Priors(small, tiny().protocol).start("WD*C", run_seed(24, 1))
            of = table.loc[("orthogonal | D* | no C", "go_nogo", 1), "first weights"]
            assert of == pytest.approx(start.weights.sum(), abs=1e-4)


def test_it_goes_on_where_it_was_stopped(make, small, here, tmp_path, monkeypatch):
    part, out, calls = tiny(runs=2), tmp_path / "out", []

    def stopped(*rest):
        if calls:
            raise KeyboardInterrupt
        calls.append(1)
        return told(*rest)

    with monkeypatch.context() as m:
        m.setattr(make, "measured", stopped)
        with pytest.raises(KeyboardInterrupt):
            train(make, part, small, out)
    folder = make.folder_of(part, out)
    rows, first = (folder / "results.csv").read_bytes(), make.read_groups(folder)
    assert first[KEY].drop_duplicates().shape == (3, 3), "a group is the variants of one task and run"
    with monkeypatch.context() as m:
        m.setattr("biornn_lite.study.train", lambda *_: pytest.fail("trained again"))
        train(make, part, small, out)
        assert (folder / "results.csv").read_bytes() == rows
        after = make.read_groups(folder)
        assert len(after) == 2 * len(first) and after.merge(first).equals(first)
        assert len(make.read_groups(folder, name=make.DISTANCES)) == len(after)
        m.setattr(make, "measured", lambda *_: pytest.fail("measured again"))
        train(make, part, small, out)
    train(make, replace(part, runs=3), small, out)
    assert len(make.read_groups(folder)) == 3 * len(first) and len(read_results(folder).networks) == 9


def test_networks_without_measures_are_not_packed(make, small, here, tmp_path):
    folder = train(make, tiny(runs=2), small, tmp_path / "out")
    (gone, *_) = sorted((folder / "measures").iterdir())
    run = pd.read_csv(gone)["run"].unique().tolist()
    gone.unlink()
    make.pack(tmp_path / "out")
    for name in TABLES:
        assert set(read_shipped(here / name)["run"]) == {0, 1} - set(run) and len(run) == 1
    with pytest.raises(InputError, match="no rows here to pack"):
        make.pack(tmp_path / "empty")


def test_a_diverged_network_has_a_row_and_no_measures(make, small, here, tmp_path, monkeypatch):
    part = tiny(settings=replace(TINY, learning_rate=1e30))
    monkeypatch.setattr(make, "measured", lambda *_: pytest.fail("measured"))
    folder = train(make, part, small, tmp_path)
    assert set(read_results(folder).networks["status"]) == {"diverged"}
    train(make, part, small, tmp_path)
    make.pack(tmp_path)
    networks, measures, distances = (read_shipped(here / name) for name in TABLES)
    assert len(networks) == 3 and measures.empty and distances.empty


def test_rows_of_another_plan_are_not_continued(make, small, here, tmp_path, monkeypatch):
    (tmp_path / "plan.md").write_text("Another plan.", encoding="utf-8")
    train(make, tiny(), small, tmp_path / "out")
    monkeypatch.setattr(make, "PLAN", tmp_path / "plan.md")
    with pytest.raises(InputError, match="follow another plan"):
        train(make, tiny(runs=2), small, tmp_path / "out")


def test_the_first_runs_of_all_studies_come_before_later_ones(make, tmp_path, monkeypatch):
    made, packed = [], []
    monkeypatch.setattr(make, "make", lambda part, field, *_: made.append((part.study, part.runs, field)))
    monkeypatch.setattr(make, "pack", lambda out: packed.append(len(made)))
    asked = {"studies": [], "out": tmp_path, "jobs": 1, "pack": False}
    make.main(Namespace(**asked, runs=None), lambda name: name)
    rounds = [(study, min(runs, part_of(study).runs), "5_3_4") for runs in (4, 8, 12) for study in STUDIES]
    assert made == rounds and packed == [3, 6, 9]
    made.clear()
    make.main(Namespace(**asked | {"studies": ["no penalty"]}, runs=2), lambda name: name)
    assert made == [("no penalty", 2, "5_3_4")]
    make.main(Namespace(**asked | {"pack": True}, runs=None), lambda name: name)
    assert len(made) == 1 and len(packed) == 5


# Shipped rows


@pytest.fixture(scope="module")
def rows():
    """Networks, measures and distances."""
    tables = [read_shipped(ROOT / "data" / "dynamics" / name) for name in TABLES]
    tables[1]["at"] = tables[1]["at"].fillna("")
    return tables


class TestShippedRows:
    """There only once the rows are."""

    def test_rows_follow_the_plan_that_is_there(self, rows):
        assert [set(table["plan"]) for table in rows] == [{PLAN}] * 3

    @pytest.mark.parametrize("study", STUDIES)
    def test_every_network_is_of_the_plan_and_only_last_runs_are_missing(self, rows, study):
        part = part_of(study)
        mine = rows[0][rows[0]["study"] == study]
        runs = mine["run"].nunique()
        assert 0 < runs <= part.runs
        there = set(zip(mine["part"], mine["variant"], mine["task"], mine["run"], mine["seed"], strict=True))
        wanted = {
            (part.name, each.name, task, run, run_seed(24, run))
            for each, task, run in product(part.variants, TASKS, range(runs))
        }
        assert len(there) == len(mine) and there == wanted
        for choice, value in {**vars(part.protocol), **vars(part.settings)}.items():
            (noted,) = set(mine[choice])
            assert noted == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value), choice

    def test_every_network_that_did_not_diverge_is_measured_twice(self, rows):
        networks, measures, distances = rows
        ok = set(networks.loc[networks["status"] == "ok", NETWORK].itertuples(index=False, name=None))
        twice = {(*network, when) for network, when in product(ok, WHEN)}
        counts = measures.groupby([*NETWORK, "when"]).size()
        assert set(counts.index) == twice and not measures.duplicated([*NETWORK, "when", "measure", "at"]).any()
        fates = measures[measures["measure"] == "fate"]
        assert len(fates) == len(twice) and set(fates["at"]) <= set(FATES)
        whole = len([at for each in AT.values() for at in each]) + 1
        bare = counts == len(CUTS) + 2  # states that overflow
        when = counts.index.get_level_values("when")
        assert (counts[~bare & (when == "first weights")] == whole).all() and bare.mean() < 0.1
        assert counts[~bare & (when == "trained")].isin([whole, whole + 1]).all()
        pairs = distances.groupby([*NETWORK, "when"]).size()
        assert set(pairs.index) == set(counts.index[~bare])
        choice = pairs.index.get_level_values("task") == "one_choice_inference"
        assert (pairs[choice] == 120).all() and (pairs[~choice] == 28).all()
        assert distances["distance"].dropna().between(0, 2).all() and distances["distance"].notna().mean() > 0.9

    def test_accuracies_are_those_of_the_training_on_fewer_trials(self, rows):
        ends = rows[1][(rows[1]["at"] == "as trained") & (rows[1]["when"] == "trained")]
        both = ends.merge(rows[0], on=NETWORK)
        apart = both["value"] - both["test_accuracy"]
        assert len(both) == len(ends) and abs(apart.mean()) < 0.01
        sd = np.sqrt(both["test_accuracy"] * (1 - both["test_accuracy"]) * (1 / 640 - 1 / 2560))
        assert (apart.abs() <= 5 * sd + 1e-5).all()

    def test_a_row_comes_out_again(self, rows, microns):
        """The first weights exactly; training amplifies how processors round."""
        part, task = part_of("no penalty"), "go_nogo"
        key = ("0.95 I | D* | no C", task, 0)
        study = replace(part, tasks=(task,)).on(read_released(microns / part.field))
        seed = run_seed(24, 0)
        (trained,) = train_networks(study, [key])
        start = Priors(study.field, study.protocol).start(study.variant(key[0]), seed)
        first, networks = initial_networks([start], TASKS[task], [seed]), networks_of([trained.state])
        again = measured(networks, first, task, [seed], study.field.positions)
        index = ["when", "measure", "at"]
        mine = rows[1].set_index([*NETWORK])
        mine = mine.loc[("no penalty", part.name, *key)].set_index(index)["value"].sort_index()
        found = again.measures.set_index(index)["value"].sort_index()
        before, there = found.loc["first weights"], mine.loc["first weights"]
        assert list(before.index) == list(there.index)
        assert np.isclose(before, there, rtol=1e-3, atol=1e-5, equal_nan=True).mean() > 0.9
        x, labels = held_out_trials(task, [seed])
        trials = x[:, :, :640], labels[:, :640]
        ways = {
            "as trained": networks,
            "diagonal": self_connections_cut(networks),
            "others": others_cut(networks),
        }
        for what, network in ways.items():
            accuracy = accuracies(network, *trials)[0]
            assert found["trained", "accuracy", what] == accuracy
            assert mine["trained", "accuracy", what] == pytest.approx(accuracy, abs=0.05), what

    def test_packed_files_are_small_enough_to_track_and_go_into_the_wheel(self):
        build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
        for name in TABLES:
            path = f"data/dynamics/{name}"
            assert (ROOT / path).stat().st_size < 1_000_000, name
            assert build["targets"]["wheel"]["force-include"][path] == f"biornn_lite/{path}"
