"""Panels of notebook 12, on the networks that come with the library."""

import numpy as np
import pytest
import torch
from test_figures_panels import check_that_every_control_redraws

from biornn_lite.errors import InputError
from biornn_lite.figures import robustness_panels as panels
from biornn_lite.pruning import recurrent_bytes
from biornn_lite.robustness import (
    accuracies,
    chosen_units,
    pruned,
    quantised,
    self_connections_cut,
    silenced,
)
from biornn_lite.trained_networks import load_trained_networks
from biornn_lite.training import held_out_trials

TASK = "go_nogo"
NAMES = ("functional", "0.95 I", "orthogonal")


@pytest.fixture(scope="module")
def live():
    shipped = {each.start: each for each in load_trained_networks() if each.task == TASK}
    return panels.examine(NAMES, [shipped[name].state for name in NAMES], TASK, shipped[NAMES[0]].seed, 64)


def test_networks_are_examined_on_the_test_trials_of_their_seed(live):
    x, labels = held_out_trials(TASK, [live.seed], 64)
    for run, name in enumerate(NAMES):
        assert torch.equal(live.inputs[:, run], x[:, 0]) and torch.equal(live.labels[run], labels[0])
        assert live.accuracies()[name] == 1.0


def test_what_cannot_be_examined_is_said_in_one_line(live):
    states = [live.networks.state_of_run(run) for run in range(3)]
    with pytest.raises(InputError, match="each needs one of its own"):
        panels.examine(["a", "a", "b"], states, TASK, 0)
    lost = states[0] | {"w": np.full_like(states[0]["w"], np.nan)}
    with pytest.raises(InputError, match=r"second .*diverged"):
        panels.examine(["first", "second"], [states[1], lost], TASK, 0)
    with pytest.raises(InputError, match="no lesion 'brain'"):
        panels.lesion(live, "brain", 0.1)
    with pytest.raises(InputError, match="no network 'brain'"):
        panels.lesion_figure(live, "brain", panels.LESIONS[0], 0.1)
    with pytest.raises(InputError, match="no network 'brain'"):
        panels.cost_figure(live, "brain", 8, 1.0, True)


@pytest.mark.parametrize("kind", panels.LESIONS)
def test_a_lesion_takes_what_it_marks_and_a_larger_one_takes_more(live, kind):
    before = live.networks.w
    gone_before = np.zeros(before.shape, dtype=bool)
    for share in (0.1, 0.4):
        networks, gone = panels.lesion(live, kind, share)
        assert (networks.w.numpy()[gone] == 0).all()
        assert torch.equal(networks.w[torch.from_numpy(~gone)], before[torch.from_numpy(~gone)])
        assert (gone | ~gone_before).all() and gone.sum() > gone_before.sum()
        gone_before = gone
    if kind.startswith("self"):
        assert gone.sum() == 3 * round(0.4 * 96)
        assert torch.equal(panels.lesion(live, kind, 1.0)[0].w, self_connections_cut(live.networks).w)


def test_curves_are_accuracies_after_lesions(live):
    curves = panels.lesion_curves(live, "units, strongest first")
    assert tuple(curves.index) == panels.SHARES and tuple(curves) == NAMES
    changed = silenced(live.networks, chosen_units(live.networks, 0.1))
    np.testing.assert_allclose(curves.loc[0.1], accuracies(changed, live.inputs, live.labels))


def test_the_figure_of_a_lesion_shows_its_curve_and_the_current_point(live):
    kind = "units, strongest first"
    figure = panels.lesion_figure(live, "orthogonal", kind, 0.2)
    weights, curves = figure.axes
    taken = weights.images[1].get_array()
    assert np.isfinite(taken.filled(np.nan)).sum() == panels.lesion(live, kind, 0.2)[1][2].sum()
    accuracy = panels.lesion_curves(live, kind).loc[0.2, "orthogonal"]
    assert curves.get_title().startswith(f"orthogonal: {accuracy:.3f} without 20 %")
    assert [20, accuracy] in [list(np.ravel(line.get_data())) for line in curves.lines]
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} >= set(NAMES)


def test_small_networks_are_pruned_then_rounded(live):
    few = panels.small(live, 6, 0.1, per_row=True)
    assert torch.equal(few.w, quantised(pruned(live.networks, 0.1), 6, per_row=True).w)
    assert torch.equal(panels.small(live, 32, 1.0, True).w, live.networks.w)
    binary = panels.small(live, 1, 0.1, per_row=False)
    assert (torch.count_nonzero(binary.w[0]) == round(0.1 * 96**2)).all(), "pruned weights stay 0"
    assert len(binary.w[0].unique()) == 3


def test_the_figure_of_cost_shows_bytes_and_accuracies(live):
    figure = panels.cost_figure(live, "0.95 I", 4, 0.2, per_row=True)
    left, right = figure.axes
    few = panels.small(live, 4, 0.2, per_row=True)
    accuracy = live.accuracies(few)["0.95 I"]
    assert left.get_title() == f"0.95 I, 4 bits, 20 % kept: {accuracy:.3f}"
    dense, sparse = (each[1] for each in recurrent_bytes(few, 4, "row"))
    assert [bar.get_width() for bar in right.patches] == [4 * 96**2, dense, sparse]
    assert {text.get_text() for text in right.texts} == {f"{n:,}" for n in (4 * 96**2, dense, sparse)}


def test_bytes_are_those_counted_by_hand(live):
    n, kept = 96, round(0.1 * 96**2)
    dense, sparse = recurrent_bytes(pruned(live.networks, 0.1))
    assert (dense == 4 * n * n).all() and (sparse == 6 * kept + 2 * (n + 1)).all()
    dense, sparse = recurrent_bytes(pruned(live.networks, 0.1), 3, "row")
    assert (dense == n * n * 3 / 8 + 4 * n).all()
    assert (sparse == np.ceil(kept * 3 / 8) + 2 * kept + 2 * (n + 1) + 4 * n).all()
    for wrong, told in (({"bits": 0}, "from 1 to 32"), ({"scales": "column"}, "matrix, row")):
        with pytest.raises(InputError, match=told):
            recurrent_bytes(live.networks, **wrong)


def test_panels_redraw(live):
    check_that_every_control_redraws(
        panels.lesion_panel(live), {"network": "orthogonal", "take": panels.LESIONS[1], "share (%)": 30.0}
    )
    check_that_every_control_redraws(
        panels.cost_panel(live), {"network": "orthogonal", "bits": 4, "kept": 0.1, "scale": False}
    )
