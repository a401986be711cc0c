"""Notebook 14: its panel, and the checks of its exercises and of the one in notebook 01 about order."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.meta_analysis import combine_effects
from test_figures_panels import check_said, check_takes_numbers, check_that_every_control_redraws

from biornn_lite import exercises
from biornn_lite.errors import InputError
from biornn_lite.figures.wiring import BINNED, across_figure, across_panel
from biornn_lite.wiring import known_by_distance, known_wiring, pool_effects


def test_the_panel_redraws(column):
    changes = {"field": "9_4_6", "distance": 300, "measure": "communicability"}
    check_that_every_control_redraws(across_panel(column), changes)


@pytest.mark.parametrize("measure", BINNED)
def test_the_figure_shows_the_table(measure):
    figure = across_figure("7_4_2", low=100, measure=measure)
    curves, dots = figure.axes
    (front,) = [line for line in curves.lines if line.get_label() == "7_4_2"]
    rows = known_by_distance().set_index("field").loc["7_4_2"]
    values = 100 * rows["connected"] / rows["pairs"] if measure == "connected" else rows[measure]
    if curves.get_yscale() == "log":
        values = values.where(values > 0)
    np.testing.assert_allclose(front.get_ydata(), values)
    assert len(dots.collections[0].get_offsets()) == 46


def test_a_field_of_ones_own_is_among_them(column):
    figure = across_figure(column.label, measure="correlation", more=column)
    assert any("at another depth" in line.get_label() for line in figure.axes[1].lines)
    with pytest.raises(InputError, match="no field 'moon' in the table of wiring"):
        across_figure("moon")


def test_the_checks_of_numbers(capsys):
    table = known_wiring()
    like = pool_effects(table["like_to_like"], table["like_to_like_error"])
    weights = table["like_to_like_error"] ** -2.0
    for check, answers in (
        (
            lambda a: exercises.check_odds_ratio(a, -1.5, 50, 250),
            {
                np.exp(-3): "✓ 0.050", 0.05: "✓", 4.98: "per cent", -3: "change of the log odds",
                np.exp(-1.5): "how many are there",
                np.exp(3): "*nearer*", np.exp(-3.75): "from 0 µm on", np.exp(-300): "not per µm", 0.5: "is not it",
            },
        ),
        (
            lambda a: exercises.check_fixed_effect(a, table, "like_to_like"),
            {
                (weights * table["like_to_like"]).sum() / weights.sum(): "✓ 0.103",
                table["like_to_like"].mean(): "as much as one with 1,142",
                np.average(table["like_to_like"], weights=1 / table["like_to_like_error"]): "square it",
                np.average(table["like_to_like"], weights=table["like_to_like_error"] ** 2): "least certain",
                (weights * table["like_to_like"]).sum(): "Divide by the sum", 7: "is not it",
            },
        ),
        (
            lambda a: exercises.check_share_below_zero(a, like),
            {
                norm.cdf(0, like.mean, like.tau): "✓ 6 %", 100 * norm.cdf(0, like.mean, like.tau): "in per cent",
                norm.sf(0, like.mean, like.tau): "share above 0",
                norm.cdf(0, like.mean, like.error): "error of the mean", 0.5: "is not it", 8 / 46: "*estimates*",
                norm.cdf(0, like.mean, np.hypot(like.tau, like.error)): "You added", 0.06: "✓",
            },
        ),
    ):  # fmt: skip
        check_takes_numbers(capsys, check, answers)


def expected(tau, mean, own):
    return np.sqrt(tau**2 + mean**2 + own**2)


def held(effects, errors, spread=expected, leave_out=True, distance=abs):
    """The share of fields within twice a spread of the others' mean, by statsmodels."""
    inside = []
    for k in range(len(effects)):
        others = np.arange(len(effects)) != k if leave_out else np.full(len(effects), True)
        found = combine_effects(effects[others], errors[others] ** 2, method_re="iterated", use_t=True)
        wide = spread(np.sqrt(max(found.tau2, 0)), found.sd_eff_w_re_hksj, errors[k])
        inside.append(distance(effects[k] - found.mean_effect_re) <= 2 * wide)
    return np.mean(inside)


def in_prediction_interval(effects, errors):
    inside = []
    for k in range(len(effects)):
        others = pool_effects(np.delete(effects, k), np.delete(errors, k))
        inside.append(others.prediction.low <= effects[k] <= others.prediction.high)
    return np.mean(inside)


def wrong_if_the_first_is_high(effects, errors):
    """Right on some of the made-up fields, among them the first ones: the message must quote others."""
    return held(effects, errors) if effects[0] < 1.5 else 0.5


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "not answered yet"),
        (held, "✓"),
        (lambda v, e: held(v, e, leave_out=False), "leave it out first"),
        (lambda v, e: held(v, e, lambda tau, mean, own: np.hypot(tau, mean)), "an error of its own"),
        (lambda v, e: held(v, e, lambda tau, mean, own: np.hypot(tau, own)), "is not known exactly"),
        (lambda v, e: held(v, e, lambda tau, mean, own: np.hypot(mean, own)), "τ is missing"),
        (lambda v, e: held(v, e, lambda tau, mean, own: mean), "interval of the *mean*"),
        (lambda v, e: held(v, e, lambda tau, mean, own: tau), "Two errors come on top"),
        (lambda v, e: held(v, e, lambda tau, mean, own: tau + mean + own), "add as squares"),
        (lambda v, e: held(v, e, lambda tau, mean, own: np.sqrt(tau**2 + mean**2 + own**2) / 2), "Twice the spread"),
        (lambda v, e: held(v, e, lambda tau, mean, own: 0.98 * np.sqrt(tau**2 + mean**2 + own**2)), "not 1.96"),
        (lambda v, e: held(v, e, lambda tau, mean, own: tau**2 + mean**2 + own**2), "take its root"),
        (lambda v, e: held(v, e, distance=lambda apart: apart), "On either side"),
        (lambda v, e: held(v, e, distance=lambda apart: -apart), "On either side"),
        (in_prediction_interval, "A prediction interval is for the *true* effect"),
        (wrong_if_the_first_is_high, "it gives 0.5, and"),
        (lambda v, e: 100 * held(v, e), "not in per cent"),
        (lambda v, e: len(v) * held(v, e), "divide by the number of fields"),
        (lambda v, e: 1 - held(v, e), "share outside"),
        (lambda v, e: 0.5, "Pool all fields but one"),
        (lambda v, e: v, "returns shape (7,); expected one number"),
        (lambda v, e: np.nan, "NaN, which is not a number"),
        (lambda v, e: None, "It returns None"),
        (lambda v: 1, "raises TypeError"),
        (0.95, "expected a function"),
    ],
)
def test_the_check_of_the_interval_of_one_more_field(capsys, answer, told):
    check_said(capsys, exercises.check_interval_held(answer, known_wiring(), "like_to_like"), told)


def test_what_notebook_14_says_of_a_cut_at_another_depth():
    table = known_wiring().sort_values("depth")

    def z(cut):
        shallow, deep = (
            pool_effects(rows["fall"], rows["fall_error"])
            for rows in (table[table["depth"] < cut], table[table["depth"] >= cut])
        )
        return abs(deep.mean - shallow.mean) / np.hypot(deep.error, shallow.error)

    assert z(500) == pytest.approx(8.5, abs=0.05) and z(515) == pytest.approx(11.2, abs=0.05)
    below = table[table["depth"] >= 500].iloc[:2]
    assert below["depth"].round().tolist() == [503, 510]
    assert (below["fall"] < table.loc[table["depth"] > 515, "fall"].drop("5_3_8").min()).all()


def test_the_random_effects_mean_has_the_weights_that_notebook_14_names():
    table = known_wiring()
    effects, errors = table["like_to_like"], table["like_to_like_error"]
    pooled = pool_effects(effects, errors)
    assert pooled.mean == pytest.approx(np.average(effects, weights=1 / (errors**2 + pooled.tau**2)))


def test_the_check_of_an_order_restored(capsys):
    scrambled, rows = np.arange(16).reshape(4, 4), np.array([2, 0, 3, 1])
    # By hand: neuron 0 is row 1, neuron 1 row 3, neuron 2 row 0, neuron 3 row 2.
    right = np.array([[5, 7, 4, 6], [13, 15, 12, 14], [1, 3, 0, 2], [9, 11, 8, 10]])
    half, other = scrambled.copy(), scrambled.copy()
    half[rows] = scrambled
    other[:, rows] = scrambled
    for answer, told in [
        (None, "not answered yet"),
        (right, "✓ Row i"),
        (right.tolist(), "✓ Row i"),
        (scrambled, "as it was"),
        (scrambled[np.ix_(rows, rows)], "the other way"),
        (half, "columns are not"),
        (other, "rows are not"),
        (scrambled[rows], "wrong way"),
        (right.T, "orientation"),
        (right[:3], "shape is (3, 4)"),
        (np.zeros((4, 4)), "fills a copy"),
        (np.ones((4, 4)), "wrong places"),
    ]:
        check_said(capsys, exercises.check_restored(answer, scrambled, rows), told)


def shared(ids, connectome, other_ids, other):
    """By a loop over all pairs of ids."""
    first = {(a, b): connectome[i, j] > 0 for i, a in enumerate(ids) for j, b in enumerate(ids)}
    second = {(a, b): other[i, j] > 0 for i, a in enumerate(other_ids) for j, b in enumerate(other_ids)}
    found = Counter(int(first[a, b]) + int(second[a, b]) for a, b in first.keys() & second if a != b)
    return found[2], found[1]


def off_diagonal(connectome):
    return np.where(np.eye(len(connectome), dtype=bool), 0, connectome)


def with_itself(ids, connectome, other_ids, other):
    """A pair of a neuron and itself is counted too."""
    loops = [(a, connectome[i, i] > 0, other[j, j] > 0) for i, a in enumerate(ids)
             for j, b in enumerate(other_ids) if a == b]  # fmt: skip
    own = [sum(bool(one) + bool(two) == count for _, one, two in loops) for count in (2, 1)]
    return np.array(shared(ids, connectome, other_ids, other)) + own


def changed(change):
    return lambda *given: change(np.array(shared(*given)), *given)


def places_of_shared(ids, other_ids):
    return np.flatnonzero(np.isin(ids, other_ids))


def read_at_the_same_places(ids, connectome, other_ids, other):
    """Row and column of the first field are looked up in both, and a neuron and itself are a pair."""
    here = np.ix_(*[places_of_shared(ids, other_ids)] * 2)
    return sum_of(connectome[here] > 0, other[here] > 0)


def in_the_order_of_each(ids, connectome, other_ids, other):
    """Neurons that are not shared are left out of both fields, which keep their own orders."""
    here, there = (np.ix_(*[places_of_shared(*each)] * 2) for each in ((ids, other_ids), (other_ids, ids)))
    return sum_of(off_diagonal(connectome[here]) > 0, off_diagonal(other[there]) > 0)


def each_two_once(ids, connectome, other_ids, other):
    place = {neuron: k for k, neuron in enumerate(other_ids)}
    both = one_only = 0
    for i in range(len(ids)):
        for j in range(i + 1, len(ids)):
            if ids[i] in place and ids[j] in place:
                here, there = connectome[i, j] > 0, other[place[ids[i]], place[ids[j]]] > 0
                both, one_only = both + (here & there), one_only + (here != there)
    return both, one_only


def products(ids, connectome, other_ids, other):
    here, there = places_of_shared(ids, other_ids), places_of_shared(other_ids, ids)
    there = [there[[other_ids[k] for k in there].index(ids[place])] for place in here]
    one, two = off_diagonal(connectome[np.ix_(here, here)]), off_diagonal(other[np.ix_(there, there)])
    return (one * two).sum(), (one != two).sum()


def sum_of(one, other):
    return (one & other).sum(), (one != other).sum()


def read_elsewhere(ids, connectome, other_ids, other, second):
    """One field's connectome is read at the places of the other one."""
    both = {*ids} & {*other_ids}
    here, there = ({neuron: list(those).index(neuron) for neuron in both} for those in (ids, other_ids))
    one_at, two_at = (here, here) if second else (there, there)
    found = Counter(
        int(connectome[one_at[a], one_at[b]] > 0) + int(other[two_at[a], two_at[b]] > 0)
        for a in both
        for b in both
        if a != b
    )
    return found[2], found[1]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (shared, "✓ So two witnesses"),
        (lambda *given: list(shared(*given)), "✓"),
        (None, "not answered yet"),
        ((17, 0), "expected a function of ids"),
        (lambda *given: None, "Is there a return?"),
        (lambda *given: shared(*given)[0], "It returns one number; expected two numbers"),
        (lambda *given: [*shared(*given), 0], "of shape (3,); expected two numbers"),
        (each_two_once, "pairs are ordered"),
        (products, "three synapses here and one there"),
        (lambda *given: shared(*given)[::-1], "the other way round"),
        (lambda i, a, j, b: shared(i, a, i, b), "place by place"),
        (with_itself, "A neuron and itself"),
        (lambda i, a, j, b: read_elsewhere(i, a, j, b, True), "read at the other field's places"),
        (lambda i, a, j, b: read_elsewhere(i, a, j, b, False), "read at the other field's places"),
        (read_at_the_same_places, "own place there by its id"),
        (in_the_order_of_each, "another order in each field"),
        (lambda i, a, j, b: shared(i, a, j, b.T), "turned one of the connectomes"),
        (
            changed(
                lambda found, i, a, j, b: (
                    found[0],
                    (off_diagonal(a) > 0).sum() + (off_diagonal(b) > 0).sum() - 2 * found[0],
                )
            ),
            "*both* neurons",
        ),
        (changed(lambda found, *given: (found[0], found.sum())), "is not in *one only*"),
        (changed(lambda found, *given: found + 1), "For 10 neurons in each field, 6 of them shared, it returns"),
    ],
)
def test_the_check_of_shared_connections(capsys, answer, told):
    check_said(capsys, exercises.check_shared(answer), told)


def test_the_check_of_shared_connections_knows_one_sided_and_halved_counts(capsys):
    def by(count):
        def answer(ids, connectome, other_ids, other):
            both = sorted({*ids} & {*other_ids})
            here, there = ([list(those).index(one) for one in both] for those in (ids, other_ids))
            return count(off_diagonal(connectome[np.ix_(here, here)]), off_diagonal(other[np.ix_(there, there)]))

        return answer

    def compared(a, b):
        return ((a > 0) & (b > 0)).sum(), ((a > 0) != (b > 0)).sum()

    for count, told in (
        (compared, "✓"),
        (lambda a, b: (a[b > 0].sum(), (a != b).sum()), "three synapses here"),  # a and b, without > 0
        (lambda a, b: (b[a > 0].sum(), (a != b).sum()), "three synapses here"),
        (lambda a, b: ((a == b).sum() - len(a), (a != b).sum()), "three synapses here"),
        (lambda a, b: (compared(a, b)[0], (a != b).sum()), "three synapses here"),
        (lambda a, b: (compared(a, b)[0], ((a > 0) & (b == 0)).sum()), "not of the first alone"),
        (lambda a, b: (compared(a, b)[0], ((b > 0) & (a == 0)).sum()), "not of the second alone"),
        (lambda a, b: compared(np.triu(a), np.triu(b)), "pairs are ordered"),
        (lambda a, b: (np.minimum(a, b).sum(), abs(a - b).sum()), "three synapses here"),
        (lambda a, b: (compared(a, b)[0], abs(a - b).sum()), "three synapses here"),
    ):
        check_said(capsys, exercises.check_shared(by(count)), told)
