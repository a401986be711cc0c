"""The rows on communities and reshaped coordinates: by the plan, beside the shipped study, and as they are told."""

import numpy as np
import pytest
from conftest import ROOT, script
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from biornn_lite.datasets import read_released
from biornn_lite.replication import load_modules, load_replication
from biornn_lite.results import learned


@pytest.fixture(scope="module")
def make():
    return script("data/make_modules.py")


@pytest.fixture(scope="module")
def rows():
    return load_modules()


def test_all_networks_are_there_and_follow_the_plan(make, rows):
    assert [*rows[make.KEY].itertuples(index=False, name=None)] == make.networks()
    assert len(rows) == len(set(make.networks())) == 420
    assert set(rows["plan"]) == {make.plan()} and (rows["status"] == "ok").all()


def test_reshaped_rows_are_those_of_the_shipped_study(rows):
    """Trained again; another processor rounds otherwise, and training amplifies it."""
    key = ["variant", "task", "run"]
    both = rows[rows["coordinates"] == "reshaped"].merge(
        load_replication("6_6_2").networks, on=key, suffixes=("", "_shipped")
    )
    assert len(both) == 240 and (both["seed"] == both["seed_shipped"]).all()
    for what, near in (("train_accuracy", 0.02), ("test_accuracy", 0.02), ("modularity", 0.03)):
        apart = (both[what] - both[f"{what}_shipped"]).abs()
        assert (apart < near).mean() > 0.95 and abs((both[what] - both[f"{what}_shipped"]).mean()) < near / 4


def test_a_row_comes_out_again(make, rows, microns):
    key = ["transposed", "WD*C", "go_nogo", 0]
    again = make.measure(read_released(microns / "6_6_2"), *key, make.plan())
    row = rows[(rows[make.KEY] == key).all(axis=1)].iloc[0]
    for what, near in (("train_accuracy", 0.03), ("modularity", 0.05), ("mutual_information", 0.05)):
        assert again[what] == pytest.approx(row[what], abs=near), what


def test_the_results_are_what_the_rows_say(make, rows):
    found = make.results(rows)
    assert len(found) == 9
    cell = rows[(rows["variant"] == "WD*C") & (rows["task"] == "go_nogo")].assign(learned=learned(rows))
    wide = cell.pivot_table(["modularity", "learned"], "run", "coordinates").astype(float)
    row = found.loc[("WD*C", "go_nogo")]
    fall = wide["modularity"]["reshaped"] - wide["modularity"]["transposed"]
    assert row["fall"] == pytest.approx(fall.mean())
    interval = stats.t.interval(0.95, len(fall) - 1, fall.mean(), stats.sem(fall))
    assert (row["fall_low"], row["fall_high"]) == pytest.approx(interval)
    before, after = wide["learned"]["reshaped"], wide["learned"]["transposed"]
    lost, won = ((before > after).sum(), (before < after).sum())
    table = [[((before + after) == 2).sum(), lost], [won, ((before + after) == 0).sum()]]
    assert row["p"] == pytest.approx(mcnemar(table, exact=True).pvalue)
    assert row["ami_reshaped"] == pytest.approx(
        cell.loc[cell["coordinates"] == "reshaped", "mutual_information"].median()
    )


def test_the_card_says_what_the_rows_say(make, rows):
    card = (ROOT / "data" / "modules" / "README.md").read_text(encoding="utf-8")
    assert f"{make.BEGIN}\n{make.report(rows)}{make.END}" in card


def test_medians_have_an_interval_that_holds_them_as_often_as_it_says(make):
    r = np.random.default_rng(0)
    held = [low <= 0 <= high for low, high in (make.median_interval(r.normal(size=20)) for _ in range(60))]
    assert np.mean(held) > 0.85


def test_readme_and_notebook_say_what_the_rows_say(make, rows):
    found = make.results(rows)
    assert found["runs"].eq(20).all()
    least, most = (f"{end(found['ami_reshaped']):.2f}" for end in (min, max))
    falls = " to ".join(f"{end(found['fall']):.2f}" for end in (min, max))
    cell = found.loc[("WD*C", "go_nogo")]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    notebook = (ROOT / "notebooks" / "source" / "08_topology.ipynb").read_text(encoding="utf-8")
    learn = f"learns Go/NoGo in {cell['learned_transposed']:.0f} of 20 runs"
    for text in (readme, notebook):
        assert f"{least} to {most}" in text and falls in text and learn in text
    perceptual = found.loc[("WD*C", "perceptual_decision_making")]
    assert (
        f"perceptual decision in {perceptual['learned_reshaped']:.0f} and {perceptual['learned_transposed']:.0f} (p"
        in notebook
    )
    # What was to count, by the plan.
    assert (found["ami_reshaped"] > 0.5).all() and (found["fall_low"] > 0.1).all()
    assert found[["ami_low_transposed", "ami_high_transposed"]].abs().max(axis=None) < 0.05
