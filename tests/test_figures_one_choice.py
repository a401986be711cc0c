"""Figures and panel of one choice at a time, of made-up rows of the choices."""

import asyncio

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from test_figures_audit import made_up, told
from test_figures_panels import check_that_every_control_redraws, parts_of

from biornn_lite import verdict
from biornn_lite.audit import TURNED, reached
from biornn_lite.errors import InputError
from biornn_lite.figures import audit_parts
from biornn_lite.figures import one_choice as figures
from biornn_lite.replication import load_replication
from biornn_lite.training import Settings

QUICK = Settings(epochs=3, batches=2, batch_size=16, test_trials=40)


@pytest.fixture(scope="module")
def turned():
    return made_up("choices", 4)


@pytest.mark.parametrize("setting", TURNED)
def test_a_turned_choice_stands_beside_the_published_one(turned, setting):
    figure = figures.choice_figure(setting, "go_nogo", turned)
    left, right = figure.axes
    assert [text.get_text() for text in left.get_xticklabels()] == list(reached(setting))
    mine = turned[(turned["part"] == setting) & (turned["task"] == "go_nogo")]
    published = verdict.with_gain(load_replication("5_3_4").networks).query("task == 'go_nogo'")
    published = published[published["seed"].isin(mine["seed"])]
    assert len(published) == 4 * 11
    for side, filled in ((published, False), (mine, True)):
        share = side.groupby("variant")["learns"].mean().reindex(reached(setting))
        drawn = [
            line.get_ydata()[0]
            for line in left.lines
            if len(line.get_xdata()) == 1 and (line.get_markerfacecolor() != "white") == filled
        ]
        np.testing.assert_allclose(drawn, share)
    value = setting.split("=")[1]
    told_of = told(figure.legends[0])
    assert told_of[0].startswith("published: ") and told_of[1] == f"turned: {audit_parts.in_words(value)}"
    assert figures.live_variant(setting) in right.get_title() and "4 runs of each" in left.get_title()
    assert [text.get_text() for text in right.texts] == ["not run yet"]


def test_a_live_run_is_drawn_as_far_as_it_is(turned):
    live = {"published": [0.6, 0.9], "turned": [0.5, np.nan]}
    right = figures.choice_figure(TURNED[0], "go_nogo", turned, live).axes[1]
    np.testing.assert_array_equal(right.lines[0].get_data(), [[1, 2], [0.6, 0.9]])
    assert told(right.get_legend())[:2] == ["published", "turned (diverged)"] and not right.texts
    assert "without memory, 0.500" in told(right.get_legend())


def test_a_live_run_trains_both_sides():
    found = list(figures.live_run("self_connections=removed", "go_nogo", 1, QUICK))
    assert [[len(side) for side in epoch.values()] for epoch in found] == [[1, 1], [2, 2], [3, 3]]
    assert list(found[-1]) == ["published", "turned"]
    assert all(0 <= value <= 1 for side in found[-1].values() for value in side)
    variants = [figures.live_variant(setting) for setting in ("units=micrometres", "lambda_in_w=applied")]
    assert variants == ["W*D*C*", "W"]


def test_every_control_of_the_panel_of_choices_redraws_it(turned):
    panel = figures.choice_panel(turned, QUICK)
    labels = dict(parts_of(panel)["choice"].options)
    assert list(labels.values()) == list(TURNED)
    assert "coordinates: published reshaped → sound transposed" in labels
    assert "self-connections: published kept → only" in labels
    assert "transposed keeps them" in panel.children[1].value
    check_that_every_control_redraws(panel, {"choice": "lattice_scale=matched", "task": "one_choice_inference"})
    assert "gives D the mean distance" in panel.children[1].value


def said_by(panel):
    return [child.value for child in panel.children if hasattr(child, "value")]


def test_the_live_run_redraws_after_every_epoch_and_says_how_it_went(turned):
    panel = figures.choice_panel(turned, QUICK)
    parts = parts_of(panel)
    images = [parts["Picture"].value]
    parts["Picture"].observe(lambda change: images.append(change["new"]), "value")
    parts["Train both"].click()
    assert parts["epochs"].value == 3 and len(images) == len(set(images)) == 4
    assert any(str(text).startswith("After 3 epochs: published 0.") for text in said_by(panel))
    assert parts["Stop"].disabled and not parts["Train both"].disabled


@pytest.mark.parametrize("by", ["button", "choice"])
def test_the_live_run_stops_when_it_is_told_to(turned, by):
    """As in a kernel: the click, or another choice, comes in between two epochs."""
    panel = figures.choice_panel(turned, Settings(epochs=50, batches=1, batch_size=8, test_trials=8))
    parts = parts_of(panel)

    async def person():
        parts["Train both"].click()
        while parts["epochs"].value < 2:
            await asyncio.sleep(0.01)
        assert parts["Train both"].disabled and not parts["Stop"].disabled
        if by == "button":
            parts["Stop"].click()
        else:
            parts["choice"].value = "isolated_neurons=zero"
        while parts["Train both"].disabled:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(person(), 60))
    assert 2 <= parts["epochs"].value < 50 and parts["Stop"].disabled
    assert any(str(text).endswith("(stopped)") for text in said_by(panel))
    assert not plt.get_fignums()


def test_no_rows_are_an_error_that_says_so(turned):
    with pytest.raises(InputError, match="no rows"):
        figures.choice_figure(TURNED[0], "go_nogo", turned.iloc[:0])


def test_a_wrong_name_is_an_error_that_says_what_there_is(turned):
    with pytest.raises(InputError, match="no turned choice 'x=y'; there are coordinates"):
        figures.choice_figure("x=y", "go_nogo", turned)


def test_the_panel_loads_the_shipped_rows_once_when_it_draws_and_says_if_they_are_not_there(monkeypatch, turned):
    def absent(study=None):
        raise InputError("networks.csv.gz: no such file")

    monkeypatch.setattr(audit_parts, "load_audit", absent)
    assert "⚠ networks.csv.gz: no such file" in said_by(figures.choice_panel())
    asked = []

    def there(study=None):
        asked.append(study)
        return verdict.Results(turned, pd.DataFrame())

    monkeypatch.setattr(audit_parts, "load_audit", there)
    parts = parts_of(figures.choice_panel())
    parts["task"].value = "one_choice_inference"
    assert asked == ["choices"], "once"
    assert not plt.get_fignums()
