"""Notebook 06: figures of the three tasks, what they allow, and the checks of its exercises."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from test_figures_panels import check_said, check_takes_numbers, check_that_every_control_redraws, parts_of

from biornn_lite import exercises
from biornn_lite.figures.tasks import (
    accuracy_by_coherence,
    accuracy_by_steps,
    luck_of_the_draw,
    medians_between_ceilings,
    trial_figure,
    trial_panel,
    trial_traces,
)
from biornn_lite.replication import label_shares, load_replication, published_medians, published_table
from biornn_lite.seeds import generator
from biornn_lite.tasks import (
    PERCEPTUAL,
    TASKS,
    PerceptualDecision,
    draw_trials,
    get_task,
    ideal_accuracies,
    one_trial,
)
from biornn_lite.training import Settings
from biornn_lite.variants import get_variant

tasks = pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))


def span_of(patch):
    """From where to where on its x axis a patch reaches."""
    box = patch.axes.transData.inverted().transform_bbox(patch.get_window_extent())
    return box.x0, box.x1


# Figures


def test_every_control_of_the_panel_redraws_it():
    panel = trial_panel()
    changes = {
        "coherence (%)": 51.2,
        "evidence noise (SD)": 0.4,
        "input noise (SD, each channel)": 0.1,
        "trial": 3,
        "task": "go_nogo",
    }
    check_that_every_control_redraws(panel, changes)
    check_that_every_control_redraws(panel, {"input noise (SD, each channel)": 0.3, "trial": 4, "task": PERCEPTUAL})


def test_controls_that_do_not_apply_cannot_be_moved():
    parts = parts_of(trial_panel())
    of_one_task = [parts["coherence (%)"], parts["evidence noise (SD)"]]
    others = [parts["trial"], parts["input noise (SD, each channel)"], parts["task"]]
    for task in ("go_nogo", PERCEPTUAL, "one_choice_inference"):
        parts["task"].value = task
        assert {control.disabled for control in of_one_task} == {task != PERCEPTUAL}
        assert not any(control.disabled for control in others)


@tasks
def test_traces_show_the_inputs(task):
    inputs, _ = one_trial(task, 1, input_noise=0.1)
    ax = trial_traces(task, inputs, plt.figure().add_subplot())
    drawn = [line for line in ax.lines if len(line.get_xdata()) == task.steps]
    assert len(drawn) == task.inputs
    for base, line, channel in zip(ax.get_yticks(), drawn, inputs.T, strict=True):
        np.testing.assert_allclose(line.get_ydata() - base, channel, atol=1e-12)
        assert line.get_xdata().tolist() == list(range(1, task.steps + 1))
    assert tuple(t.get_text() for t in ax.get_yticklabels()) == task.channels
    assert [t.get_text() for t in ax.texts] == [name for name, _ in task.phases]
    ends = [span_of(patch)[1] for patch in ax.patches]
    np.testing.assert_allclose(ends, np.cumsum([n for _, n in task.phases]) + 0.5)


@pytest.mark.parametrize("trial", range(6))
def test_the_running_sum_ends_at_the_evidence(trial):
    figure = trial_figure(trial=trial, coherence=6.4, noise=0.5, input_noise=0.3)
    inputs, label = one_trial(get_task(PERCEPTUAL), trial, 6.4, 0.5, 0.3)
    total = sum(inputs[t, 1] - inputs[t, 2] for t in range(1, 31))
    (drawn,) = (line.get_ydata() for line in figure.axes[1].lines if line.get_label() == "this trial")
    assert drawn[0] == 0 and drawn[-1] == pytest.approx(total) and drawn[30] == drawn[-1]
    (expected,) = (line.get_ydata() for line in figure.axes[1].lines if line.get_label() == "without noise")
    assert expected[-1] == pytest.approx((1 - 2 * label) * 30 * 0.064)
    verdict = "right" if (total < 0) == (label == 1) else "wrong"
    assert figure.axes[1].get_title() == f"its sign says channel {1 if total > 0 else 2}: {verdict}"
    assert f"the right answer is channel {label + 1}" in figure.get_suptitle()


def test_figures_say_which_answer_is_right():
    assert trial_figure(coherence=0).get_suptitle().endswith("drawn by lot")
    for trial in range(4):
        figure = trial_figure("go_nogo", trial)
        inputs, _ = one_trial(get_task("go_nogo"), trial)
        assert figure.get_suptitle().endswith(" Go" if inputs[10, 2] else " NoGo")
        assert len(figure.axes) == 1


def test_accuracies_are_drawn_as_they_come_out():
    observed = ideal_accuracies([0, 6.4, 25.6], 5000, seed=1)
    expected = [0.5, 0.9934, 1.0]
    assert np.abs(observed.to_numpy() - expected).max() < 0.02 and observed.index.tolist() == [0, 6.4, 25.6]
    ax = accuracy_by_coherence(observed, 5000, plt.figure().add_subplot())
    curve = ax.lines[0]
    at = dict(zip(curve.get_xdata().round(1), curve.get_ydata(), strict=True))
    assert at[0] == 0.5 and at[4.0] == pytest.approx(0.9393, abs=1e-4)  # Φ(1.2 / √0.6)
    np.testing.assert_allclose(ax.containers[0].lines[0].get_ydata(orig=False), observed)
    bar = ax.containers[0].lines[2][0].get_segments()[0]
    assert np.ptp(bar[:, 1]) == pytest.approx(4 * (0.25 / 5000) ** 0.5)
    ax = accuracy_by_steps(plt.figure().add_subplot())
    steps, best = ax.lines[0].get_data()
    assert steps.tolist() == list(range(1, 31)) and best[0] == pytest.approx(0.7913, abs=1e-4)
    assert best[-1] == get_task(PERCEPTUAL).best_ceiling()


def test_medians_are_drawn_beside_the_ceilings():
    index = pd.MultiIndex.from_product([list(TASKS), ["W*D*C*", "WD"]], names=["task", "variant"])
    ours = pd.Series(np.linspace(0.5, 1, 6), index)
    axes = plt.figure().subplots(1, 3)
    medians_between_ceilings(ours, ours - 0.03, axes)
    for ax, task, low in zip(axes, TASKS.values(), (5 / 8, 1 / 2, 1 / 2), strict=True):
        points = [float(line.get_xdata()[0]) for line in ax.lines if len(line.get_xdata()) == 1]
        mine = ours[task.name]
        np.testing.assert_allclose(points, [mine[v] - below for v in ("WD", "W*D*C*") for below in (0, 0.03)])
        lines = [float(line.get_xdata()[0]) for line in ax.lines if line.get_linestyle() in (":", "--")]
        assert lines == [low, task.best_ceiling(0.05)]
        np.testing.assert_allclose(span_of(ax.patches[0]), (low - 0.02, low + 0.02))
        assert [t.get_text() for t in ax.get_yticklabels()] == ["WD", "W*D*C*"]


def test_luck_is_drawn_as_the_binomial_has_it():
    shares = {"a": np.array([0.51, 0.52])}
    ax = luck_of_the_draw(shares, 1000, {"mark": 0.53}, plt.figure().add_subplot())
    outline = ax.collections[0].get_paths()[0].vertices
    height = outline[np.isclose(outline[:, 0], 0.53), 1].max()
    assert height == pytest.approx(binom.pmf(530, 1000, 0.5) / binom.pmf(501, 1000, 0.5))
    assert ax.lines[0].get_xdata().tolist() == [0.51, 0.52] and ax.lines[1].get_xdata()[0] == 0.53


# What the notebook says


def test_what_the_notebook_says_of_the_shipped_study():
    networks, _ = load_replication("6_6_2")
    ours = networks.groupby(["task", "variant"])["train_accuracy"].median()
    ceiling = {"one_choice_inference": 5 / 8, "go_nogo": 1 / 2, PERCEPTUAL: 1 / 2}
    theirs = published_medians()
    low, low_theirs = (
        {key for key, median in medians.items() if abs(median - ceiling[key[0]]) < 0.02} for medians in (ours, theirs)
    )
    assert len(ours) == len(theirs) == 33 and len(low) == 16 and low == low_theirs
    assert {get_variant(variant).weights for _, variant in low} == {"orthogonal"}
    assert {task for task, variant in low if variant == "WD*C"} == {"one_choice_inference"}
    assert min(median for key, median in ours.items() if key not in low) > 0.88
    assert min(median for key, median in theirs.items() if key not in low) > 0.87
    at_chance = [variant for task, variant in low_theirs if task == "go_nogo"]
    cells = published_table().loc[("accuracy", "go_nogo")].loc[at_chance]
    assert len(cells) == 5 and (theirs["go_nogo"][at_chance] == 0.5115).all()
    assert (cells["high"] - cells["low"]).max() <= 0.0021
    runs = networks[(networks["variant"] == "W") & (networks["task"] == "go_nogo")]
    shares = label_shares(runs)
    assert len(shares) == 20 and np.ptp(shares) > 0.01 and (shares > 0.5115).sum() == 2


def test_what_the_notebook_says_of_luck_and_noise():
    assert Settings().batches * Settings().batch_size == 5120
    assert np.sqrt(0.25 / 5120) == pytest.approx(0.007, abs=5e-5)
    count = np.arange(5121)
    mean = (binom.pmf(count, 5120, 0.5) * np.abs(count / 5120 - 0.5)).sum()
    assert mean == pytest.approx(0.0056, abs=5e-5)
    best, noisy = (PerceptualDecision().best_ceiling(noise) for noise in (0.0, Settings().input_noise))
    assert (round(best, 3), round(noisy, 3)) == (0.899, 0.897) and 0.001 < best - noisy < 0.0015
    assert 0.1 < 1 - best < 0.1015, "coherence 0 costs 0.1, noise next to nothing"


def test_networks_cross_the_best_line_by_luck_only():
    networks, _ = load_replication("6_6_2")
    test = networks.loc[networks["task"] == PERCEPTUAL, "test_accuracy"]
    learned = test[test > 0.85]
    best = PerceptualDecision().best_ceiling()
    sd = np.sqrt(best * (1 - best) / Settings().test_trials)
    assert best < learned.max() < best + 2 * sd and best - 0.005 < learned.median() < best


# Exercises


def observer(inputs):
    return inputs[:, :, 1:].sum(axis=1).argmax(axis=1)


def in_place(inputs):
    inputs[:, :, 0] = 0
    return observer(inputs)


OBSERVERS = [
    (observer, "✓ Right in 0.9"),
    (lambda x: x[:, :, 2].sum(1) > x[:, :, 1].sum(1), "✓ Right in 0.9"),
    (None, "not answered yet"),
    (np.zeros(3), "expected a function"),
    (lambda x: x.nothing, "raises AttributeError"),
    (in_place, "changes the inputs"),
    (lambda x: None, "Is there a return?"),
    (lambda x: observer(x)[:, None], "returns shape (2000, 1); expected (2000,)"),
    (lambda x: 1, "returns shape (); expected"),
    (lambda x: [[0], [0, 1]], "a list that is not one array"),
    (lambda x: x[:, :, 1] < x[:, :, 2], "returns shape (2000, 41)"),
    (lambda x: np.array(["one"] * len(x)), "expected 0 or 1"),
    (lambda x: x.sum(axis=1).argmax(axis=1), "change with channel 0"),
    (lambda x: observer(x) + 1, "names the channel"),
    (lambda x: (x[:, :, 1] - x[:, :, 2]).sum(1), "expected the label"),
    (lambda x: x[:, -1, 1:].argmax(axis=1), "says 0 in every trial"),
    (lambda x: 1 - observer(x), "labels are swapped"),
    (lambda x: x[:, :, 1].sum(1) < 15, "channel 1 alone"),
    (lambda x: x[:, :, 2].sum(1) > 15, "channel 2 alone"),
    (lambda x: (x[:, :, 2] > x[:, :, 1]).sum(1) > (x[:, :, 1] > x[:, :, 2]).sum(1), "counted steps"),
    (lambda x: x[:, :, 1:].max(axis=1).argmax(axis=1), "largest values"),
    (lambda x: x[:, :, 1:].std(axis=1).argmax(axis=1), "the spreads"),
    (lambda x: x[:, 30, 1:].argmax(axis=1), "one step of evidence alone"),
    (lambda x: x[:, 1:11, 1:].sum(axis=1).argmax(axis=1), "use all steps, alike"),
]


@pytest.mark.parametrize(("answer", "told"), OBSERVERS)
def test_the_check_of_an_observer(capsys, answer, told):
    check_said(capsys, exercises.check_observer(answer), told)


def test_the_check_of_a_task(capsys):
    thirds = [(seen, answer) for seen in "ab" for answer in range(3)]
    for answer, told in [
        (None, "not answered yet"),
        (thirds, "✓ 0.333: after each of 2 observations"),
        ([((0, 1), np.int64(a)) for a in range(3)] * 2 + [("x", a) for a in range(3)], "✓ 0.333"),
        ([(seen, answer + 1) for seen, answer in thirds], "Its answers are 1, 2 and 3; call them 0, 1 and 2"),
        ([(seen, np.int64(answer + 3)) for seen, answer in thirds], "Its answers are 3, 4 and 5; call them"),
        ([(seen, answer / 2) for seen, answer in thirds], "A label is a whole number; 0.0 is none"),
        ([("silence", 0), ("silence", 1), ("silence", 2)], "end alike"),
        ([("a", 0), ("a", 1), ("b", 2)], "allows 2/3. Whoever sees 'b' says 2 and is right in 1 of 1"),
        ([*thirds, ("a", 0)], "allows 3/7. Whoever sees 'a' says 0 and is right in 2 of 4"),
        ([(seen, answer) for seen in "ab" for answer in range(2)], "2 different answers; expected three"),
        ([("a", "left"), ("b", "right")], "A label is a whole number; 'left' is none"),
        ([], "is empty"),
        (5, "list of pairs"),
        ([("a", 0, 1)], "list of pairs"),
        ([([1], 0)], "list of pairs"),
    ]:
        check_said(capsys, exercises.check_task_of_a_third(answer), told)


def trials_of(pairs, count, rng, cue=10, until=10, end=20, names=dict.fromkeys, first_label=False, swapped=False):
    """As a learner might write it; each argument after the third can make a mistake."""
    ends, answers = list(names(seen for seen, _ in pairs)), 1 + max(answer for _, answer in pairs)
    types = np.zeros((len(pairs), 30, answers + len(ends)))
    for k, (seen, answer) in enumerate(pairs):
        types[k, :until, (answer + swapped) % answers] = cue > 0
        types[k, end:, answers + ends.index(seen)] = 1
    labels = np.array([answer for _, answer in pairs])
    if first_label:
        kinds = np.array(
            [rng.choice(np.flatnonzero(labels == answer)) for answer in rng.integers(answers, size=count)]
        )
    else:
        kinds = rng.integers(len(pairs), size=count)
    return types[kinds], labels[kinds]


def with_part(change):
    def trials(pairs, count, rng):
        inputs, labels = trials_of(pairs, count, rng)
        return change(inputs, labels)

    return trials


def with_mistake(**mistake):
    return lambda pairs, count, rng: trials_of(pairs, count, rng, **mistake)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (trials_of, "✓ Every trial"),
        (None, "not answered yet"),
        (7, "expected a function"),
        (lambda pairs: pairs, "raises TypeError"),
        (lambda pairs, count, rng: None, "Is there a return?"),
        (lambda pairs, count, rng: np.zeros((count, 30, 5)), "two arrays"),
        (with_part(lambda inputs, labels: (inputs.swapaxes(1, 2), labels)), "steps are the second axis"),
        (with_part(lambda inputs, labels: (inputs[:, :-1], labels)), "expected (3000, 30, 5) and (3000,)"),
        (with_part(lambda inputs, labels: (inputs, labels[:, None])), "its labels (3000, 1)"),
        (with_part(lambda inputs, labels: (inputs, labels + 1)), "A label is 3"),
        (with_part(lambda inputs, labels: (inputs, labels[::-1])), "the cue is not on channel"),
        (lambda pairs, count, rng: trials_of(pairs, count, np.random.default_rng()), "two different sets"),
        (lambda pairs, count, rng: trials_of(pairs, count, np.random.default_rng(0)), "gave the same trials"),
        (with_mistake(cue=0), "no cue is shown"),
        (with_mistake(until=9), "not on channel"),
        (with_mistake(swapped=True), "not on channel"),
        (with_mistake(until=15), "steps 11 to 20"),
        (with_mistake(until=30), "steps 11 to 20"),
        (with_mistake(end=15), "steps 11 to 20"),
        (with_mistake(end=0), "from the start on"),
        (with_mistake(end=25), "not one channel at 1 for 10 steps"),
        (with_mistake(names=lambda seen: sorted(set(seen))), "the order in which the list"),
        (with_mistake(first_label=True), "should be equally likely"),
    ],
)
def test_the_check_of_trials_of_ones_own(capsys, answer, told):
    check_said(capsys, exercises.check_trials_of_pairs(answer), told)


def test_a_cue_that_stays_until_the_end_is_named(capsys):
    def shown_again(inputs, labels):
        inputs[:, 20:, :3] = inputs[:, :10, :3]
        return inputs, labels

    check_said(capsys, exercises.check_trials_of_pairs(with_part(shown_again)), "nothing must be remembered")


def test_a_task_of_ones_own_is_trained_and_ours_in_its_place(capsys):
    thirds = [(seen, np.int64(answer)) for seen in "ab" for answer in range(3)]
    ours = exercises.task_to_train(None, None)
    assert "no right answer yet" in capsys.readouterr().out
    assert (ours.memoryless_ceiling(), ours.best_ceiling(), ours.classes, ours.inputs) == (2 / 3, 1, 3, 5)

    def drawn_by_ours(pairs, count, rng):
        return replace(ours, pairs=tuple(pairs)).trials(count, rng)

    check_said(capsys, exercises.check_trials_of_pairs(drawn_by_ours), "✓")
    for pairs, trials in ((thirds[:4], lambda: None), ([("x", 0)], 3)):  # wrong answers: ours again
        assert exercises.task_to_train(pairs, trials) == ours
    capsys.readouterr()
    yours = exercises.task_to_train(thirds, trials_of)
    assert capsys.readouterr().out == "Your task. Its trials are drawn by your function.\n"
    assert yours.draw is trials_of and yours.memoryless_ceiling() == pytest.approx(1 / 3)
    inputs, labels = draw_trials(yours, 50, np.random.default_rng(0))
    assert inputs.shape == (50, 30, 5) and set(labels) == {0, 1, 2}


def test_the_checks_of_numbers(capsys):
    for check, answers in (
        (
            lambda a: exercises.check_steps_held(a, "go_nogo"),
            {
                15: "✓ 15 steps", 14: "One too few", 16: "One too many", 10: "the silence after it counts",
                5: "the silence alone", 35: "from the *start*", 34: "from the *first* step", 20: "how long",
                25: "in which the stimulus ends", 40: "the whole trial", 12: "too few", 100: "too many",
            },
        ),
        (
            lambda a: exercises.check_accuracy_by_hand(a, 20, 8, 0.2, 0.15),
            {
                0.844: "✓ 0.844", 84.4: "in per cent", 0.156: "wrong answers", 1.012: "Φ of it", 0.924: "twice the",
                0.739: "divided by the variance", 0.5895: "one step's worth", 1.0: "divide it by 100",
                0.6935: "twice that", 0.765: "added the two SDs", 0.897: "left out the input noise",
                0.954: "noise of the evidence", 0.8: "too low", 0.87: "too high", -1: "not a share",
            },
        ),
    ):  # fmt: skip
        check_takes_numbers(capsys, check, answers)


def test_the_accuracy_asked_for_is_what_an_observer_reaches():
    rng = generator(3, "test")
    x, y = PerceptualDecision(coherences=(8,), noise=0.2, evidence_steps=20).trials(40_000, rng)
    x = x[:, 1:21] + rng.normal(0, 0.15, (40_000, 20, 3))
    reached = float((observer(x) == y).mean())
    assert reached == pytest.approx(0.844, abs=0.006)


def test_what_notebook_06_leaves_to_go_further_can_be_reached_within_the_evidence():
    best = [PerceptualDecision(coherences=(12.8,), noise=0.34, evidence_steps=n).best_ceiling() for n in range(1, 31)]
    assert sum(share < 0.9 for share in best) == 23, "24 of 30 steps"
