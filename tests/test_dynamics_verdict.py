"""Classes, words and contrasts of the look inside, of rows that are made so that the answer is known."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from biornn_lite import dynamics_verdict as verdict
from biornn_lite.audit import variant
from biornn_lite.dynamics import FATES, LENGTHS, TIMES
from biornn_lite.dynamics_studies import COMPARED_STARTS, WHEN
from biornn_lite.dynamics_verdict import BOUNDS, COMPARED, LOSSES, NETWORK, TESTED, as_rows
from biornn_lite.errors import InputError
from biornn_lite.results import ceilings
from biornn_lite.seeds import run_seed
from biornn_lite.statistics import bootstrap_interval
from biornn_lite.tasks import TASKS

RUNS = 10
FIRST, TRAINED = WHEN
PAIRS = 28
FREE, PENALTY = TESTED

GROUP_VALUES = {
    "all": 0.95, "largest self-connections": 0.9, "smallest self-connections": 0.6, "at random": 0.7,
    "communities (mean)": 0.75, "communities (best)": 0.85,
}  # fmt: skip

USUAL = {
    "gain": 0.9,
    "status": "ok",
    "left": {"diagonal": 0.1, "others": 0.9, "within communities": 0.5, "between communities": 0.98},
    "fate": {FIRST: "decay", TRAINED: "slow or moving"},
    "eigenvalue": {FIRST: 0.9, TRAINED: 0.98},
    "decoding": {FIRST: GROUP_VALUES, TRAINED: GROUP_VALUES},
    "mantel r": 0.01,
    "mantel p": 0.5,
    "pattern": 0,
    "measured": True,
}
"""A network that remembers by its self-connections; `left` is a share of its gain, `pattern` a kind of distances."""


def accuracy(task: str, gain: float) -> float:
    low, best = ceilings(task, "test")
    return low + gain * (best - low)


def measures_of(one: dict, task: str, rng: np.random.Generator):
    """Yield when, measure, at and value of one network."""
    for when in WHEN:
        gain = one["gain"] if when == TRAINED else 0.0
        yield when, "accuracy", "as trained", accuracy(task, gain)
        for what, share in one["left"].items():
            yield when, "accuracy", what, accuracy(task, gain * share)
        for (group, value), time in product(one["decoding"][when].items(), TIMES):
            yield when, "decoding", f"{group}, {time}", value
        if one["fate"][when]:
            yield when, "fate", one["fate"][when], 1.0
        yield when, "memory eigenvalue", "", one["eigenvalue"][when]
        yield when, "time constant", "", np.inf if one["eigenvalue"][when] >= 1 else 40.0
        yield when, "mantel r", "memory end", one["mantel r"] + 0.01 * rng.normal()
        yield when, "mantel p", "memory end", one["mantel p"]
        yield from ((when, "difference left", str(length), 1 / length) for length in LENGTHS)
        yield from ((when, "fixed points", at, 1.0) for at in ("found", "stable", "share of starts that ended"))
        yield when, "communities", "", 5.0
    yield TRAINED, "kept tuning", "memory end", 0.4


def rows(of=lambda *_: {}, starts=COMPARED_STARTS, studies=TESTED, tasks=tuple(TASKS), runs=RUNS):
    """Rows in which `of(study, start, task, run)` says how a network differs from the usual one."""
    networks, measures, distances = [], [], []
    for study, start, task, run in product(studies, starts, tasks, range(runs)):
        one = USUAL | of(study, start, task, run)
        name = variant(start, "D*", "C*" if study == PENALTY else "no C").name
        key = {"study": study, "part": "published", "variant": name, "task": task, "run": run}
        end = accuracy(task, one["gain"]) if one["status"] == "ok" else np.nan
        networks.append(
            key | {"seed": run_seed(24, run), "status": one["status"], "test_accuracy": end, "plan": "made"}
        )
        if not one["measured"]:
            continue
        rng = np.random.default_rng([run, sum(map(ord, start)), len(task)])
        measures += [
            key | dict(zip(("when", "measure", "at", "value"), row, strict=True))
            for row in measures_of(one, task, rng)
        ]
        of_run = np.random.default_rng([run, len(task), one["pattern"]]).normal(size=PAIRS)
        pattern = np.random.default_rng(one["pattern"]).random(PAIRS) + 0.1 * of_run + 0.02 * rng.normal(size=PAIRS)
        distances += [
            key | {"when": when, "pair": pair, "value": value} for when in WHEN for pair, value in enumerate(pattern)
        ]
    return as_rows(pd.DataFrame(networks), pd.DataFrame(measures), pd.DataFrame(distances))


IDENTITY_LIKE = ("functional", "diagonal alone", "0.95 I", "relabelled")


def two_mechanisms(study, start, task, run):
    """Identity-like starts remember by their self-connections, the others by the rest, and fail with a penalty."""
    if start in IDENTITY_LIKE:
        return {}
    left = USUAL["left"] | {"diagonal": 0.98, "others": 0.05}
    return {"left": left, "fate": {FIRST: "decay", TRAINED: "decay"}, "pattern": 1} | (
        {"gain": 0.1} if study == PENALTY else {}
    )


@pytest.fixture(scope="module")
def made():
    return rows(two_mechanisms)


# Where and how


@pytest.mark.parametrize(
    ("whole", "diagonal", "others", "word"),
    [
        (1.0, 0.9, 0.1, "self-connections"),
        (1.0, 0.51, 0.49, "self-connections"),
        (0.8, 0.41, 0.39, "self-connections"),
        (1.0, 0.1, 0.9, "others"),
        (1.0, 0.6, 0.7, "both"),
        (1.0, 0.2, 0.3, "neither"),
        (1.0, 0.5, 0.1, "neither"),
        (1.0, 0.9, 0.5, "neither"),
        (1.0, 0.5, 0.9, "neither"),
        (1.0, -0.1, 1.3, "others"),
        (1.0, np.nan, 0.9, None),
        (np.nan, 0.9, 0.1, None),
        (1.0, 0.9, np.nan, None),
    ],
)
def test_where_the_memory_is_follows_from_the_losses(whole, diagonal, others, word):
    (found,) = verdict.where_of(*(pd.Series([each]) for each in (whole, diagonal, others)))
    assert found == word


def test_losses_advantage_and_classes_of_a_network_are_those_of_its_rows(made):
    table = verdict.scores(made)
    one = table.loc[(FREE, "functional", "go_nogo", 3)]
    assert one["seed"] == run_seed(24, 3) and one["learns"] and one["gain"] == pytest.approx(0.9)
    losses = [one[name] for name in LOSSES.values()]
    np.testing.assert_allclose(losses, [0.81, 0.09, 0.45, 0.018], atol=1e-9)
    assert one["advantage"] == pytest.approx(0.2) and one["memory eigenvalue"] == 0.98
    assert (one["where"], one["how"]) == ("self-connections", "slow or moving")
    other = table.loc[(FREE, "orthogonal", "perceptual_decision_making", 0)]
    assert (other["where"], other["how"]) == ("others", "decay")
    assert not table.xs((PENALTY, "orthogonal"), level=("study", "start"))["learns"].any()


@pytest.mark.parametrize(
    ("kinds", "found"),
    [
        (["decay"] * 5, ("decay", 5)),
        (["decay"] * 4, ("too few", 4)),
        ([], ("too few", 0)),
        (["decay"] * 9 + ["unbounded"] * 3, ("decay", 9)),
        (["decay"] * 8 + ["unbounded"] * 3, ("mixed", 8)),
        (["decay"] * 4 + ["unbounded"], ("decay", 4)),
        (["decay"] * 3 + ["unbounded"] * 3, ("mixed", 3)),
        (["decay"] * 6 + [None] * 2, ("decay", 6)),
        (["decay"] * 5 + [None] * 2, ("mixed", 5)),
        ([None] * 6, ("mixed", 0)),
    ],
)
def test_three_in_four_of_at_least_five_make_a_class(kinds, found):
    assert verdict.class_of(pd.Series(kinds, dtype=object)) == found


def test_classes_count_only_networks_that_learned():
    def of(study, start, task, run):
        if run < 4:
            return {"gain": 0.4, "left": USUAL["left"] | {"diagonal": 1.0}, "fate": dict.fromkeys(WHEN, "unbounded")}
        return {"status": "diverged", "measured": False} if run == 4 else {}

    made = rows(of, ["functional"], [FREE], ["go_nogo"])
    one = verdict.classes(made).loc[(FREE, "functional", "go_nogo")]
    assert one.tolist() == [10, 5, "self-connections", 5, "slow or moving", 5]
    fewer = verdict.classes(rows(of, ["functional"], [FREE], ["go_nogo"], runs=9))
    assert fewer.loc[(FREE, "functional", "go_nogo"), ["learned", "where", "how"]].tolist() == [4, *["too few"] * 2]
    counts = verdict.class_counts(made).set_index(["what", "kind"])["networks"]
    assert counts["where", "self-connections"] == counts["how", "slow or moving"] == 5 == counts["how"].sum()
    assert len(counts) == 8 and counts["how", "unbounded"] == 0


def test_a_network_without_a_fate_has_none():
    made = rows(lambda *key: {"fate": {FIRST: None, TRAINED: None}} if key[3] < 3 else {}, ["functional"], [FREE])
    found = verdict.fates(made).groupby("run").agg(list)
    assert found[2] == [None] * 3 and found[3] == ["slow or moving"] * 3
    assert verdict.classes(made)["how"].tolist() == ["mixed"] * 3 and set(verdict.classes(made)["how_share"]) == {7}


# Mechanisms


def classed(where, how):
    return pd.Series({"where": where, "how": how})


@pytest.mark.parametrize(
    ("first", "second", "alike", "found"),
    [
        (("others", "decay"), ("others", "decay"), 0.5, ("same", "")),
        (("others", "decay"), ("others", "decay"), 0.49, ("open", "unlike")),
        (("others", "decay"), ("others", "decay"), np.nan, ("open", "unlike")),
        (("others", "decay"), ("both", "decay"), 0.9, ("different", "")),
        (("others", "decay"), ("others", "attractors"), 0.9, ("different", "")),
        (("others", "decay"), ("mixed", "decay"), 0.9, ("open", "mixed")),
        (("others", "mixed"), ("both", "decay"), 0.9, ("open", "mixed")),
        (("mixed", "decay"), ("mixed", "decay"), 0.9, ("open", "mixed")),
        (("others", "decay"), ("too few", "too few"), 0.9, ("open", "too few")),
        (("mixed", "mixed"), ("too few", "too few"), 0.9, ("open", "too few")),
    ],
)
def test_two_starts_are_compared_as_the_plan_says(first, second, alike, found):
    assert verdict.mechanism(classed(*first), classed(*second), alike, 0.5) == found


@pytest.fixture(scope="module")
def compared(made):
    return verdict.mechanisms(made).set_index(["study", "task", "first", "second"]).sort_index()


def test_starts_with_the_same_classes_and_like_representations_are_the_same(compared):
    assert len(compared) == 2 * 3 * 15
    for task in TASKS:
        says = compared["says"][FREE, task]
        assert says["functional", "diagonal alone"] == says["diagonal alone", "0.95 I"] == "same"
        assert says["functional", "orthogonal"] == says["orthogonal", "relabelled"] == "different"
        assert says["orthogonal", "functional without diagonal"] == "same"
        few = compared.loc[(PENALTY, task, "functional", "orthogonal")]
        assert (few["says"], few["why"], few["runs"]) == ("open", "too few", 0) and np.isnan(few["similarity"])


def test_starts_with_the_same_classes_and_other_representations_are_open():
    def of(study, start, task, run):
        return {"pattern": 1 if start == "diagonal alone" else 0}

    found = verdict.mechanisms(rows(of, studies=[FREE], tasks=["go_nogo"]), (FREE,)).set_index(["first", "second"])
    assert found.loc[("functional", "diagonal alone"), ["says", "why"]].tolist() == ["open", "unlike"]
    assert found["says"]["functional", "0.95 I"] == "same"


def test_similarity_is_paired_by_run_beside_the_ceiling_of_the_first():
    def of(study, start, task, run):
        failed = (start == "functional" and run == 0) or (start == "orthogonal" and run in (1, 2))
        return {"gain": 0.2} if failed else {}

    made = rows(of, studies=[FREE], tasks=["go_nogo"])
    lost = (made.distances["pair"] == 3) & (made.distances["run"] == 5) & (made.distances["start"] == "functional")
    made = made._replace(distances=made.distances.assign(value=made.distances["value"].mask(lost)))
    found = verdict.mechanisms(made, (FREE,)).set_index(["first", "second"]).loc[("functional", "orthogonal")]
    trained = made.distances[made.distances["when"] == TRAINED]
    table = trained.pivot_table("value", ["start", "run"], "pair", dropna=False)
    alike = []
    for run in range(3, 10):
        pair = table.loc["functional", run], table.loc["orthogonal", run]
        alike.append(stats.spearmanr(*pair, nan_policy="omit").statistic)
    assert found["runs"] == 7 and found["similarity"] == pytest.approx(np.mean(alike))
    assert (found["low"], found["high"]) == pytest.approx(tuple(bootstrap_interval(alike)), abs=1e-3)
    own = table.loc["functional"].drop(0)
    lower = [stats.spearmanr(own.loc[k], own.drop(k).mean(), nan_policy="omit").statistic for k in own.index]
    upper = [stats.spearmanr(own.loc[k], own.mean(), nan_policy="omit").statistic for k in own.index]
    assert (found["lower"], found["upper"]) == pytest.approx((np.mean(lower), np.mean(upper)))
    pairs = [stats.spearmanr(*own.loc[[k, j]].to_numpy(), nan_policy="omit") for k, j in combinations(own.index, 2)]
    assert found["within"] == pytest.approx(np.mean([each.statistic for each in pairs]))
    others = table.loc["orthogonal"].drop([1, 2])
    pairs = [(own.loc[k], others.loc[j]) for k in own.index for j in others.index if k != j]
    alike = [stats.spearmanr(*pair, nan_policy="omit").statistic for pair in pairs]
    assert found["across"] == pytest.approx(np.nanmean(alike)), "of different runs"
    whole = own.drop(5), others.drop(5)
    fast = verdict.across_runs(*whole)
    assert fast == pytest.approx(
        np.mean(
            [
                stats.spearmanr(whole[0].loc[k], whole[1].loc[j]).statistic
                for k in whole[0].index
                for j in whole[1].index
                if k != j
            ]
        )
    )


def part_of(made, keep):
    """Keep the rows of which `keep` is true."""
    return verdict.Rows(*(table[keep(table)] for table in made))


def test_a_start_without_rows_is_pending(made):
    few = part_of(made, lambda table: (table["study"] == FREE) & (table["start"] != "orthogonal"))
    found = verdict.mechanisms(few).set_index(["study", "first", "second"]).sort_index()
    assert set(found["says"][FREE, "functional", "orthogonal"]) == {"pending"}
    assert set(found["says"][FREE, "functional", "0.95 I"]) == {"same"} and set(found["says"][PENALTY]) == {"pending"}
    says = verdict.answers(few).set_index("against")["says"]
    assert set(says["orthogonal"]) == {"pending"} and "pending" not in set(says["0.95 I"])
    nothing = part_of(made, lambda table: table["run"] < 0)
    assert set(verdict.answers(nothing)["says"]) == {"pending"} and verdict.classes(nothing).empty
    assert verdict.losses_table(nothing).empty and verdict.class_counts(nothing).empty


# Contrasts


def test_the_twelve_contrasts_have_the_differences_of_their_rows(made):
    found = verdict.answers(made)
    assert found[["number", "against"]].apply(tuple, axis=1).tolist() == list(product(BOUNDS, COMPARED))
    one = found.set_index(["number", "against"])
    lost = one.loc[("loss without the diagonal", "orthogonal")]
    assert lost["difference"] == pytest.approx(0.9 * 0.88) and (lost["runs"], lost["pairs"]) == (10, 30)
    assert lost["says"] == "first" and one["says"]["loss without the others", "orthogonal"] == "second"
    alike = found[found["against"] != "orthogonal"]
    assert set(alike.loc[alike["bound"] == 0.1, "says"]) == {"equivalent"} and set(alike["difference"]) == {0.0}
    few = alike[alike["bound"] == 0.05]
    assert set(few["says"]) == {"not told apart"}, "ten runs cannot show that differences of 1/3 are so rare"
    assert few["p_equivalence"].tolist() == pytest.approx([0.85**10] * 2)
    wanted = multipletests(found["p"].astype(float), method="holm")[1]
    np.testing.assert_allclose(found["p_holm"].astype(float), wanted)


def test_a_run_is_the_mean_over_tasks_in_which_both_learned():
    def of(study, start, task, run):
        mine = {"left": USUAL["left"] | {"diagonal": {"go_nogo": 0.1, "one_choice_inference": 0.4}.get(task, 0.0)}}
        if start == "orthogonal":
            mine["left"] = USUAL["left"] | {"diagonal": 1.0}
            if task == "one_choice_inference" and run < 5:
                mine["gain"] = 0.3
            if run == 9:
                mine["gain"] = 0.3
        return mine

    found = verdict.answers(rows(of, studies=[FREE], tasks=["go_nogo", "one_choice_inference"]))
    one = found.set_index(["number", "against"]).loc[("loss without the diagonal", "orthogonal")]
    assert (one["runs"], one["pairs"]) == (9, 18 - 5)
    assert one["difference"] == pytest.approx((5 * 0.81 + 4 * (0.81 + 0.54) / 2) / 9)


def test_fewer_than_eight_runs_are_too_few():
    def of(study, start, task, run):
        return {"gain": 0.2} if start == "0.95 I" and run < 3 else {}

    found = verdict.answers(rows(of, studies=[FREE], tasks=["go_nogo"]))
    few = found["against"] == "0.95 I"
    assert set(found.loc[few, "says"]) == {"too few"} and set(found.loc[few, "runs"]) == {7}
    assert found.loc[few, ["difference", "p", "p_holm"]].isna().all(axis=None)
    tested = found[~few]
    np.testing.assert_allclose(
        tested["p_holm"].astype(float), multipletests(tested["p"].astype(float), method="holm")[1]
    )
    enough = rows(lambda *key: of(*key[:3], key[3] + 1), studies=[FREE], tasks=["go_nogo"])
    assert "too few" not in set(verdict.answers(enough)["says"]), "eight runs are enough"


def test_the_eigenvalue_has_a_narrower_bound():
    def of(study, start, task, run):
        apart = 0.0 if start == "functional" else 0.07
        noise = 0.005 * np.random.default_rng([run, len(start)]).normal()
        left = USUAL["left"] | {"diagonal": 0.1 + apart + noise}
        return {"eigenvalue": {FIRST: 0.9, TRAINED: 0.98 - apart + noise}, "left": left, "gain": 1.0}

    found = verdict.answers(rows(of, studies=[FREE])).set_index(["number", "against"])["says"]
    assert found["memory eigenvalue", "orthogonal"] == "first"
    assert found["loss without the diagonal", "orthogonal"] == "equivalent"


def test_infinite_and_missing_numbers_are_left_out():
    def of(study, start, task, run):
        value = {0: np.inf, 1: np.nan}.get(run, 0.9)
        return {"eigenvalue": {FIRST: 0.9, TRAINED: value}} if start == "orthogonal" else {}

    found = verdict.answers(rows(of, studies=[FREE], tasks=["go_nogo"])).set_index(["number", "against"])
    one = found.loc[("memory eigenvalue", "orthogonal")]
    assert one["runs"] == 8 and one["difference"] == pytest.approx(0.08)


# Tables


def test_means_are_of_networks_that_learned():
    def of(study, start, task, run):
        if run < 2:
            return {"gain": 0.3, "eigenvalue": {FIRST: 5.0, TRAINED: 5.0}}
        left = USUAL["left"] | {"diagonal": 0.1 + 0.01 * run}
        return {"left": left, "eigenvalue": {FIRST: 0.9, TRAINED: 0.9 + 0.01 * run}}

    made = rows(of, ["functional"], [FREE], ["go_nogo"])
    table = verdict.losses_table(made).set_index("cut")
    wanted = 0.9 * (0.9 - 0.01 * np.arange(2, 10))
    assert list(table.index) == list(LOSSES) and set(table["networks"]) == {8}
    assert table.loc["diagonal", "mean"] == pytest.approx(wanted.mean())
    interval = bootstrap_interval(wanted)
    assert (table.loc["diagonal", "low"], table.loc["diagonal", "high"]) == pytest.approx(interval, abs=0.005)
    eigenvalues = verdict.before_and_after(made, "memory eigenvalue").set_index("when")
    assert eigenvalues["mean"].to_dict() == pytest.approx({FIRST: 0.9, TRAINED: 0.955})
    decoding = verdict.decoding_table(made).set_index(["group", "time"])
    assert len(decoding) == 6 * 4 and decoding["mean"]["at random", "memory end"] == pytest.approx(0.7)
    counts = verdict.class_counts(made)
    assert counts["networks"].sum() == 16


# Wrong tables


def test_wrong_tables_are_said_in_one_line(made):
    networks, measures, distances = made
    twice = pd.concat([measures, measures.iloc[:1]])
    fate = (measures["measure"] == "fate") & (measures["when"] == TRAINED)
    two = pd.concat([measures, measures[fate].iloc[:1].assign(at=FATES[0])])
    odd = measures.assign(at=measures["at"].mask(fate, "elsewhere"))
    for tables, said in (
        ((networks.drop(columns="seed"), measures, distances), "networks lacks seed"),
        ((networks, measures.drop(columns=["at", "when"]), distances), "measures lacks at, when"),
        ((networks, measures, distances.drop(columns="pair")), "distances lacks pair"),
        ((networks, twice, distances), "measures has no penalty, functional, .* twice"),
        ((networks, two, distances), "the fate of a network is one of"),
        ((networks, odd, distances), "the fate of a network is one of"),
        ((pd.concat([networks, networks.iloc[:1]]), measures, distances), "networks has .* twice"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            as_rows(*tables)
        assert "\n" not in str(caught.value)


def test_what_pandas_reads_as_nothing_is_an_empty_text(made):
    again = as_rows(made.networks, made.measures.assign(at=made.measures["at"].replace("", np.nan)), made.distances)
    assert verdict.values_of(again, "memory eigenvalue").notna().all()
    assert list(verdict.values_of(again, "x").index.names) == NETWORK and verdict.values_of(again, "x").isna().all()
