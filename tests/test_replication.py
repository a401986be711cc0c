"""The shipped rows: whole, of the published protocol, the same when trained again; and what is said of them."""

import gzip
import json
import re

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROOT, script
from scipy import stats
from statsmodels.stats.weightstats import ttost_ind

from biornn_lite import replication
from biornn_lite.datasets import read_released
from biornn_lite.errors import InputError
from biornn_lite.replication import (
    ORTHOGONAL_VARIANTS,
    SHIPPED,
    compare_pooled,
    compare_with_published,
    label_shares,
    load_replication,
    published_failures,
    published_pooled,
    published_table,
    read_shipped,
    with_diverged_as_published,
)
from biornn_lite.results import MEASURES, RECORDED, learned
from biornn_lite.seeds import run_seed
from biornn_lite.statistics import holm, mean_interval
from biornn_lite.study import run_networks
from biornn_lite.tasks import TASKS, get_task
from biornn_lite.training import Settings, training_trials


@pytest.fixture(scope="module")
def pack():
    return script("data/make_replication.py")


@pytest.mark.parametrize("name", SHIPPED)
def test_every_network_of_a_shipped_study_is_there_with_its_choices(name):
    study, (networks, curves) = SHIPPED[name], load_replication(name)
    wanted = [(v, t, run) for t in TASKS for v in study.variants for run in range(20)]
    assert [*zip(networks["variant"], networks["task"], networks["run"], strict=True)] == wanted
    assert (networks["seed"] == networks["run"].map(lambda run: run_seed(0, run))).all()
    assert set(networks["field"]) == {study.field} and set(networks["sign"]) == {study.sign}
    for choice, value in vars(study.protocol).items():
        assert set(networks[choice]) == {value}, choice
    ok = networks[networks["status"] == "ok"]
    assert ok[["train_accuracy", "test_accuracy", "penalty"]].notna().all(axis=None)
    last = curves[curves["epoch"] == 10].merge(ok, on=["variant", "task", "run"], suffixes=("", "_row"))
    assert len(last) == len(ok)
    for what in RECORDED:
        assert (last[what] == last[f"{what}_row"]).all(), what
    lost = networks[networks["status"] == "diverged"]
    assert lost[["train_accuracy", "penalty", "modularity"]].isna().all(axis=None)
    assert lost["diverged_step"].between(1, 400).all()


@pytest.mark.parametrize("variant", ["WD*C", "W*D*C*"])
def test_shipped_rows_come_out_again(microns, variant):
    name, task = "5_3_4", "go_nogo"
    study = SHIPPED[name].on(read_released(microns / SHIPPED[name].field))
    again = run_networks(study, [(variant, task, run) for run in (0, 1)]).networks
    rows = load_replication(name).networks
    rows = rows[(rows["variant"] == variant) & (rows["task"] == task) & (rows["run"] < 2)]
    # Other processors round differently, and training amplifies it.
    for what in ("train_accuracy", "test_accuracy"):
        np.testing.assert_allclose(again[what], rows[what], atol=0.02)
    np.testing.assert_allclose(again["penalty"], rows["penalty"], rtol=0.02)
    np.testing.assert_allclose(again["entropy"], rows["entropy"], atol=0.05)


@pytest.mark.parametrize("task", ["perceptual_decision_making", "one_choice_inference"])
def test_a_shipped_divergence_comes_out_again(microns, task):
    study = SHIPPED["6_6_2 positive"].on(read_released(microns / "6_6_2"))
    network = ("W", task, 0)
    again = run_networks(study, [network]).networks.iloc[0]
    row = load_replication("6_6_2 positive").networks.set_index(["variant", "task", "run"]).loc[network]
    assert again["status"] == "diverged"
    for what in ("seed", "status", "diverged_step"):
        assert again[what] == row[what], what


def test_a_study_that_is_not_there_is_said(monkeypatch, tmp_path):
    with pytest.raises(InputError, match="no study '6_6_3'"):
        load_replication("6_6_3")
    with pytest.raises(InputError, match="sign is 'both'"):
        published_table("both")
    with pytest.raises(InputError, match="no measure 'speed'"):
        compare_with_published(load_replication("6_6_2").networks, "speed")
    both = pd.concat([load_replication(name).networks for name in ("6_6_2", "6_6_2 positive")])
    for rows, told in ((both, "of free, positive"), (both.head(0), "the table is empty")):
        with pytest.raises(InputError, match=told):
            compare_with_published(rows)
    replication._shipped_tables.cache_clear()
    monkeypatch.setattr(replication, "data_folder", lambda: tmp_path)
    with pytest.raises(InputError, match=r"networks.csv.gz: no such file; in a clone, data/make_replication.py"):
        load_replication("6_6_2")


def test_cells_are_compared_as_defined():
    networks = load_replication("6_6_2").networks
    cells = compare_with_published(networks)
    assert len(cells) == 33
    for (task, variant), cell in cells.iterrows():
        values = networks.query("task == @task and variant == @variant")["train_accuracy"]
        low, high = mean_interval(values)
        assert (cell["mean"], cell["low"], cell["high"]) == pytest.approx((values.mean(), low, high))
        theirs = published_table().loc[("accuracy", task, variant)]
        inside = low - 5e-4 <= theirs["mean"] <= high + 5e-4
        apart = low - 5e-4 > theirs["high"] or theirs["low"] > high + 5e-4
        assert cell["within"] == inside and cell["agree"] == (inside or not apart)
    assert published_table().loc[("accuracy", "go_nogo", "W*D*C")].tolist() == [0.948, 0.878, 1.018]
    assert published_table("positive").loc[("accuracy", "one_choice_inference", "WD")].tolist() == [0.238] * 3


def test_diverged_networks_answer_the_first_answer_in_the_published_table():
    lost = pd.DataFrame(
        {
            "task": ["one_choice_inference", "go_nogo", "go_nogo"],
            "seed": [1, 1, 2],
            "trials": "own",
            "status": ["diverged", "diverged", "ok"],
            "train_accuracy": [np.nan, np.nan, 0.9],
        },
        index=[4, 7, 9],
    )
    table = with_diverged_as_published(lost)
    for place in (4, 7):
        _, labels = training_trials(get_task(lost.loc[place, "task"]), [1], Settings())
        assert table.loc[place, "train_accuracy"] == pytest.approx(float((labels == 0).float().mean()))
    assert table.loc[9, "train_accuracy"] == 0.9 and np.isnan(lost.loc[4, "train_accuracy"])
    shares = label_shares(lost)
    assert 0.25 < shares[0] < 0.28 and (shares[1:] >= 0.5).all() and (shares[1:] < 0.53).all()
    with pytest.raises(InputError, match="trials=own"):
        label_shares(lost.assign(trials="shared"))


def unpacked(path) -> bytes:
    """What a file holds; how it is compressed is zlib's affair."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_packing_what_is_packed_changes_nothing(pack, tmp_path, monkeypatch):
    """A study that is not finished in `out` keeps its rows, digit by digit."""
    here = tmp_path / "replication"
    here.mkdir()
    for path in pack.HERE.iterdir():
        (here / path.name).write_bytes(path.read_bytes())
    before = {path.name: unpacked(path) for path in here.iterdir()}
    monkeypatch.setattr(pack, "HERE", here)
    pack.pack(tmp_path / "nothing")
    assert {path.name: unpacked(path) for path in here.iterdir()} == before


def test_a_finished_study_takes_the_place_of_its_rows(pack, tmp_path, monkeypatch):
    here, out = tmp_path / "replication", tmp_path / "out"
    here.mkdir()
    for path in pack.HERE.iterdir():
        (here / path.name).write_bytes(path.read_bytes())
    study = SHIPPED["5_3_4"]
    networks, curves = load_replication("5_3_4")
    (pack.folder_of(study, out)).mkdir(parents=True)
    networks.assign(seconds=77.0).to_csv(pack.folder_of(study, out) / "results.csv", index=False)
    curves.to_csv(pack.folder_of(study, out) / "curves.csv", index=False)
    monkeypatch.setattr(pack, "HERE", here)
    pack.pack(out)
    packed = pd.read_csv(here / "networks.csv.gz", low_memory=False)
    assert set(packed.loc[packed["study"] == "5_3_4", "seconds"]) == {77.0}
    old = pd.read_csv(ROOT / "data" / "replication" / "networks.csv.gz", low_memory=False)
    pd.testing.assert_frame_equal(packed[packed["study"] != "5_3_4"], old[old["study"] != "5_3_4"])
    networks.head(5).to_csv(pack.folder_of(study, out) / "results.csv", index=False)
    assert pack.finished(study, out) is None


def test_the_page_says_what_the_rows_say():
    """docs/replication.md is what its script writes from the shipped rows."""
    made = script("docs/make_replication_page.py")
    page = script("docs/pictures.py").described(made.compose(), made.figures())
    assert page == (ROOT / "docs" / "replication.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text()
    overlapping = re.findall(r"^\| (?:Table|Signs|Positive).*\| (\d+ of \d+) \|$", page, re.M)
    assert len(overlapping) == 4 and all(count in readme for count in overlapping)
    told = re.search(
        r"(\d+) of (66) accuracies differ, .*; (\d+) are equivalent, of which (\d+) are of", page
    ).groups()
    differ, cells, equivalent, at_chance = told
    assert f"Of {cells} published accuracies" in readme and f"{differ} differ from ours" in readme
    assert f"{equivalent} are shown to be equivalent within ±0.02, of which {at_chance} learned nothing or" in readme


def test_the_readme_says_how_many_learn_with_a_small_penalty():
    with_weight = [variant for variant in ORTHOGONAL_VARIANTS if variant != "W"]  # W has no λ, as published
    counts = {
        name: rows[rows["variant"].isin(with_weight) & learned(rows)]["task"].value_counts()
        for name, rows in ((name, load_replication(name).networks) for name in ("6_6_2", "6_6_2 small penalty"))
    }
    full, small = (counts[name].reindex(list(TASKS), fill_value=0) for name in counts)
    one, go, perceptual = TASKS
    told = (
        f"{small[go]} of {20 * len(with_weight)} networks that start orthogonal learn Go/NoGo and "
        f"{small[perceptual]} the perceptual decision, against {full[go]} and {full[perceptual]} as published; "
        f"in one-choice inference {small[one]}, against {full[one]}"
    )
    assert told in (ROOT / "README.md").read_text()
    assert told in (ROOT / "notebooks" / "source" / "09_ablation.ipynb").read_text(encoding="utf-8")


def test_notebook_09_says_which_of_the_runs_of_one_choice_inference_still_learn():
    full, small = (
        load_replication(name).networks.query("task == 'one_choice_inference' and variant in ['WD*', 'WD*C*']")
        for name in ("6_6_2", "6_6_2 small penalty")
    )
    full, small = (set(rows[learned(rows)].set_index(["variant", "run"]).index) for rows in (full, small))
    assert (len(full), len(small), len(full & small)) == (12, 2, 1)
    told = "12 runs of `WD*` and `WD*C*` learned as published, and two do now, of which one was among the 12"
    assert told in (ROOT / "notebooks" / "source" / "09_ablation.ipynb").read_text(encoding="utf-8")


@pytest.mark.parametrize("failed", [0, 1, 4, 12])
def test_how_many_runs_failed_is_told_by_mean_and_interval(monkeypatch, failed):
    runs = [0.5] * failed + [0.893] * (20 - failed)
    mean, (low, high) = np.mean(runs), mean_interval(runs)
    task, variant = "perceptual_decision_making", "W*D*C*"
    printed = published_table().copy()
    printed.loc[("accuracy", task, "W")] = 0.5
    printed.loc[("accuracy", task, variant)] = np.round([mean, low, high], 3)
    monkeypatch.setattr(replication, "published_table", lambda sign="free": printed)
    found = published_failures().loc[(task, variant)]
    assert found["least"] <= found["failed"] == failed <= found["most"]
    assert found["level"] == pytest.approx(0.893, abs=0.003) and found["apart"] < 0.003


def test_the_harder_standard_is_that_of_statsmodels():
    """A sample with the published mean and the spread of the printed interval stands for the paper's runs."""
    rows = load_replication("6_6_2").networks
    cells = compare_with_published(rows)
    for task, variant in (("go_nogo", "WDC"), ("one_choice_inference", "W*D*C"), ("go_nogo", "W*D*C*")):
        cell = cells.loc[(task, variant)]
        mean, low, high = published_table().loc[("accuracy", task, variant)]
        spread = (high - low) / 2 / stats.t.ppf(0.975, 19) * np.sqrt(20)
        theirs = np.random.default_rng(0).normal(size=20)
        theirs = mean + spread * (theirs - theirs.mean()) / theirs.std(ddof=1)
        ours = rows.query("task == @task and variant == @variant")["train_accuracy"].to_numpy()
        test = stats.ttest_ind(ours, theirs, equal_var=False)
        assert cell["p"] == pytest.approx(test.pvalue, abs=1e-9)
        ends = tuple(cell[["difference_low", "difference_high"]])
        assert ends == pytest.approx(tuple(test.confidence_interval()), abs=1e-9)
        assert cell["equivalent"] == (ttost_ind(ours, theirs, -0.02, 0.02, usevar="unequal")[0] < 0.05)
    assert cells["p_holm"].to_numpy() == pytest.approx(holm(cells["p"]))
    assert compare_with_published(rows, "entropy")["equivalent"].isna().all()


def test_twelve_accuracies_differ_and_no_more_than_34_are_shown_the_same():
    """Against the same reckoning done apart from this library, once."""
    both = [load_replication(name).networks for name in ("6_6_2", "6_6_2 positive")]
    cells = pd.concat([compare_with_published(rows) for rows in both])
    differ, equivalent = holm(cells["p"]) < 0.05, cells["equivalent"].astype(bool)
    assert (len(cells), differ.sum(), equivalent.sum()) == (66, 12, 34)
    assert equivalent[differ].all() and (equivalent & (cells["mean"] < 0.7)).sum() == 32
    shapes = [compare_with_published(rows, measure) for rows in both for measure in MEASURES[1:]]
    shapes = pd.concat(shapes).dropna(subset="p")
    assert (len(shapes), (holm(shapes["p"]) < 0.05).sum()) == (192, 9)


def test_rows_of_another_field_are_not_held_against_the_papers():
    with pytest.raises(InputError, match="tables are of 6_6_2; these rows are of 5_3_4"):
        compare_with_published(load_replication("5_3_4").networks)


def test_the_pooled_figures_are_those_of_the_release(shared):
    rows = json.loads((shared / "reference" / "published_pooled.json").read_text())["rows"]
    mine = published_pooled()
    assert len(rows) == len(mine) == 108
    starts = {"W*": "functional", "W!": "relabelled", "all": "any"}
    for row in rows:
        study = row["study"].removesuffix(" correlation")
        start = next(name for mark, name in starts.items() if mark in row["group"])
        found = mine.loc[(study, start, row["task"], row["measure"])]
        assert found.tolist() == [row["mean"], row["median"]]


def test_pooled_means_are_compared_within_variants():
    cell = compare_pooled().loc[("5_3_4", "any", "one_choice_inference", "entropy")]
    runs = load_replication("5_3_4").networks.query("task == 'one_choice_inference'")
    assert cell["mean"] == pytest.approx(runs["entropy"].mean())
    errors = [rows["entropy"].var() / len(rows) for _, rows in runs.groupby("variant")]
    assert cell["z"] == pytest.approx((cell["mean"] - cell["published"]) / np.sqrt(2 * sum(errors)) * 11)


# What one draw of trials does


def test_the_rows_of_other_draws_follow_the_plan():
    draws = script("data/make_draws.py")
    rows, shipped = pd.read_csv(draws.HERE / "networks.csv"), load_replication("6_6_2").networks
    assert set(rows["plan"]) == {draws.plan(draws.HERE)}
    assert [*rows[draws.COLUMNS[:4]].itertuples(index=False, name=None)] == draws.networks(shipped)
    key = ["variant", "task", "run"]
    own = rows[rows["trials"] == "0/" + rows["run"].astype(str)].merge(shipped, on=key, suffixes=("", "_shipped"))
    assert len(own) == 3
    for what in ("train_accuracy", "test_accuracy"):
        np.testing.assert_allclose(own[what], own[f"{what}_shipped"], atol=0.01)


def test_the_results_of_other_draws_are_as_told():
    draws = script("data/make_draws.py")
    rows, best = pd.read_csv(draws.HERE / "networks.csv"), pd.read_csv(draws.HERE / "best.csv")["best"]
    rows = rows.assign(failed=~learned(rows), of=rows["trials"].str.split("/").str[1].astype(int))
    hard, rest = rows[rows["trials"] == "1165/0"], rows[rows["trials"] != "1165/0"]
    counts = []
    for variant, task, run in draws.FAILED:
        mine = rest[(rest["variant"] == variant) & (rest["task"] == task) & (rest["run"] != rest["of"])]
        counts.append((mine["failed"][mine["run"] == run].sum(), mine["failed"][mine["of"] == run].sum()))
    assert counts == [(5, 0), (10, 0), (9, 0)]
    assert len(hard) == 6 and not hard["failed"].any()
    assert round(hard["train_accuracy"].mean(), 3) == 0.883 and round(hard["test_accuracy"].mean(), 3) == 0.909
    assert (round(best.mean(), 4), round(best.std(), 4), (best <= 0.8865).sum()) == (0.8974, 0.0036, 3)
    for text in ("24 of 30 networks fail (5, 10 and 9 of ten)", "end at 0.883", "test accuracy is 0.909"):
        assert text in (draws.HERE / "README.md").read_text(encoding="utf-8")


def test_the_best_on_a_draw_is_what_the_sum_of_evidence_gets_right():
    draws = script("data/make_draws.py")
    shipped = pd.read_csv(draws.HERE / "best.csv").set_index("study")["best"]
    assert len(shipped) == 1200 and shipped.idxmin() == 1165
    for study in (0, 86, 1165):
        assert draws.best_on_draw(run_seed(study, 0)) == pytest.approx(shipped[study], abs=1e-6)
    task, settings = get_task("perceptual_decision_making"), Settings()
    inputs, labels = training_trials(task, [run_seed(1165, 0)], settings)
    noise = torch.Generator().manual_seed(0)
    right = [
        ((inputs + 0.05 * torch.randn(inputs.shape, generator=noise)) @ torch.tensor([0.0, 1, -1])).sum(0) < 0
        for _ in range(20)
    ]
    simulated = np.mean([(answer == labels).float().mean() for answer in right])
    assert simulated == pytest.approx(shipped[1165], abs=0.002)


def test_names_in_a_shipped_table_stay_text(tmp_path):
    rows = load_replication("6_6_2").networks.head(2).assign(field=["001", "1e5"], study="0506")
    rows.to_csv(tmp_path / "rows.csv.gz", index=False)
    read = read_shipped(tmp_path / "rows.csv.gz")
    assert [*read["field"], *read["study"]] == ["001", "1e5", "0506", "0506"]
    assert read["train_accuracy"].dtype == np.float64
