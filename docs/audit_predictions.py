"""The plan's predictions, beside what the rows say: one function each, for ``make_audit_page.py``."""

from __future__ import annotations

import pandas as pd
from outcomes import Predictions, outcome
from tables import number

from biornn_lite import verdict
from biornn_lite.contrasts import Comparison, compare, leave_one_group_out, variance_explained

prediction = Predictions()


def equivalent(says: pd.Series) -> bool | None:
    """All are equivalent; None if some are not told apart and none differ."""
    if says.isin(["first", "second"]).any():
        return False
    return True if (says == "equivalent").all() else None


def counted(says: pd.Series) -> str:
    """How many contrasts say what."""
    words = {"first": "first is better", "second": "second is better"}
    return ", ".join(f"{words.get(word, word)} in {count}" for word, count in says.value_counts().items())


def learn(rows: pd.DataFrame) -> tuple[str, float]:
    """Networks that learn, in words, and their share."""
    return f"{rows['learns'].sum()} of {len(rows)} networks", float(rows["learns"].mean())


def between(networks: pd.DataFrame, first: dict, second: dict) -> Comparison:
    """Compare two groups of rows, each given by its values of columns."""
    sides = [networks[(networks[list(of)] == pd.Series(of)).all(axis=1)] for of in (first, second)]
    shared = set(sides[0]["seed"]) & set(sides[1]["seed"])
    return compare(*(side[side["seed"].isin(shared)] for side in sides))


def told(found: Comparison) -> str:
    """A difference with its interval, and its runs."""
    return f"{number(found.difference, 2)} [{number(found.low, 2)}, {number(found.high, 2)}], {found.runs} runs"


def of(answers: pd.DataFrame, question: int, **columns: str) -> pd.DataFrame:
    """Answers of one question with these values."""
    rows = answers[answers["question"] == question]
    for column, value in columns.items():
        rows = rows[rows[column] == value]
    return rows


@prediction("Functional is equivalent to its diagonal alone and to shuffled off-diagonal values, in all contexts.")
def _1(networks, answers):
    rows = of(answers, 1, claim="function")
    says = rows.loc[rows["second"] != "same spectrum", "says"]
    return counted(says), outcome(equivalent(says))


@prediction("Without its diagonal, functional learns in less than a quarter of runs.")
def _2(networks, answers):
    rows = networks[
        networks["study"].isin(["starts", "6_6_2"]) & (networks["start"] == "functional without diagonal")
    ]
    text, share = learn(rows)
    return text, outcome(share < 0.25)


@prediction("Functional beats the same spectrum by more than 0.3 at the published penalty, and by less with λ tuned.")
def _3(networks, answers):
    rows = of(answers, 1, claim="function", second="same spectrum").set_index("context")["difference"]
    tuned = of(answers, 4, second="same spectrum")["difference"].iloc[0]
    published = rows[rows.index.str.contains("published")]
    text = "; ".join(f"{number(value, 2)} on {context.split(',')[0]}" for context, value in published.items())
    return f"{text}; tuned {number(tuned, 2)}", outcome(published.min() > 0.3, tuned < published.min())


@prediction("αI learns in at least 90 % of runs from α = 0.75 on, and 0.25 I in less than half.")
def _4(networks, answers):
    starts = networks[networks["study"] == "starts"]
    strong = learn(starts[starts["start"].isin(["0.75 I", "0.95 I", "1 I"])])
    weak = learn(starts[starts["start"] == "0.25 I"])
    return f"{strong[0]}; 0.25 I {weak[0]}", outcome(strong[1] >= 0.9, weak[1] < 0.5)


@prediction("Functional with events shifted in time is equivalent to functional.")
def _5(networks, answers):
    found = between(
        networks, {"study": "starts", "start": "functional"}, {"study": "starts", "start": "events shifted in time"}
    )
    return told(found), outcome(equivalent(pd.Series([found.says])))


@prediction("True positions are equivalent to permuted ones, to a lattice and to no space, at λ = 0.3 and 3.")
def _6(networks, answers):
    rows = of(answers, 2, claim="position")
    says = rows.loc[rows["context"].str.contains("functional"), "says"]
    return counted(says), outcome(equivalent(says))


@prediction("A price on self-connections lowers the gain by more than 0.3 at λ = 3.")
def _7(networks, answers):
    sides = [
        {"study": "positions", "start": "functional", "space": space, "penalty_weight": 3.0}
        for space in ("cortical, self priced", "cortical")
    ]
    found = between(networks, *sides)
    return told(found), outcome(found.difference < -0.3)


@prediction("Wiring, as a target and as a start, is equivalent to its controls.")
def _8(networks, answers):
    rows = of(answers, 3)
    says = rows.loc[rows["claim"].isin(["wiring as target", "wiring as start"]), "says"]
    return counted(says), outcome(equivalent(says))


@prediction("With λ tuned, orthogonal at 0.95 gains over 0.5, and functional is still better, by less than 0.3.")
def _9(networks, answers):
    mine = networks[(networks["start"] == "orthogonal at 0.95") & networks["study"].isin(["sweep", "tuned"])]
    before = mine.loc[(mine["study"] == "sweep") & (mine["penalty_weight"] == 0.3), "gain"].mean()
    after = mine.loc[mine["study"] == "tuned", "gain"].mean()
    apart = of(answers, 4, second="orthogonal at 0.95")["difference"].iloc[0]
    text = f"from {number(before, 2)} to {number(after, 2)}; functional − orthogonal {number(apart, 2)}"
    return text, outcome(after - before > 0.5, 0 < apart < 0.3)


@prediction("Functional does not depend on λ from 0 to 0.3: a range below 0.1.")
def _10(networks, answers):
    mine = networks[(networks["study"] == "sweep") & (networks["start"] == "functional")]
    means = mine[mine["penalty_weight"] <= 0.3].groupby("penalty_weight")["gain"].mean()
    span = means.max() - means.min()
    return f"a range of {number(span, 2)} in the sweep", outcome(span < 0.1)


@prediction("Only `self_connections=removed` (by less than −0.5) and `penalty_start=matched` (upwards) matter.")
def _11(networks, answers):
    rows = of(answers, 5).set_index("first")["difference"]
    removed, matched = rows["self_connections=removed"], rows["penalty_start=matched"]
    told_apart = of(answers, 5)[of(answers, 5)["says"].isin(["first", "second"])]
    others = [
        name for name in told_apart["first"] if name not in ("self_connections=removed", "penalty_start=matched")
    ]
    names = ", ".join(f"`{name}`" for name in told_apart["first"])
    text = f"{number(removed, 2)} and {number(matched, 2)}; told apart from published: {names}"
    return text, outcome(bool(removed < -0.5), bool(matched > 0), not others)


@prediction("Coordinates, units and isolated neurons are equivalent.")
def _12(networks, answers):
    rows = of(answers, 5)
    rows = rows[rows["first"].str.contains("coordinates|units|isolated")]
    return counted(rows["says"]), outcome(equivalent(rows["says"]))


@prediction("In the factorial, the start explains more than ten times what space and communicability do together.")
def _13(networks, answers):
    shares = verdict.factorial_shares(networks)
    ratio = shares["start"] / (shares["space"] + shares["target"])
    return f"{number(ratio, 1)} times", outcome(ratio > 10)


@prediction("On harder tasks functional is equivalent to each control or worse; 0.95 I beats it at delays ×4.")
def _14(networks, answers):
    rows = of(answers, 7)
    better = (rows["p_holm"] < 0.05) & (rows["difference"] >= 0.1)
    worse = (rows["p_holm"] < 0.05) & (rows["difference"] < 0)
    decided = better | worse | (rows["says"] == "equivalent")
    harder = verdict.harder_rows(networks)
    harder = harder[harder["condition"].str.contains("delay 40")]
    means = harder.groupby("start")["gain"].mean()
    text = (
        f"{counted(rows['says'])}; at delays ×4 {number(means['0.95 I'], 2)} against {number(means['functional'], 2)}"
    )
    first = False if better.any() else True if decided.all() else None
    return text, outcome(first, bool(means["0.95 I"] > means["functional"] + 0.1))


@prediction("Pooled over fields, all three differences are within ±0.10, and one more field is within ±0.2.")
def _15(networks, answers):
    pooled = [verdict.pooled_fields(networks, contrast) for contrast in verdict.FIELD_CONTRASTS]
    means = [over.mean for over in pooled]
    ends = [abs(end) for over in pooled for end in over.prediction]
    text = f"{' / '.join(number(mean, 2) for mean in means)}; one more field at most ±{number(max(ends), 2)}"
    return text, outcome(max(map(abs, means)) < 0.1, max(ends) < 0.2)


@prediction(
    "`W*` beats `W` in most combinations with self-connections, and in less than 10 % without; "
    "self-connections explain most, λ is second."
)
def _16(networks, answers):
    curve = verdict.curve(networks)
    better = (curve["difference"] > 0).groupby(curve["self_connections"] == "removed").mean()
    explained = variance_explained(verdict.curve_factors(curve), "difference", verdict.CURVE_FACTORS, resamples=20)
    order = list(explained["share"].sort_values(ascending=False).index[:2])
    first = " and ".join(name.replace("_", " ") for name in order)
    text = f"better in {100 * better[False]:.0f} % with, {100 * better[True]:.0f} % without; {first} explain most"
    return text, outcome(
        bool(better[False] > 0.5),
        bool(better[True] < 0.1),
        order[0] == "self_connections",
        order[1] in ("log_weight", "has_penalty"),
    )


@prediction("The three numbers before training predict who learns with an area above 0.8; memory carries most of it.")
def _17(networks, answers):
    joined = verdict.before(networks)
    areas = [
        leave_one_group_out(joined, names, "learns", "start", 20)[0]
        for names in (verdict.BEFORE, ["memory"], ["scale"], ["effective_rank"])
    ]
    text = f"{number(areas[0], 2)}; memory alone {number(areas[1], 2)}"
    return text, outcome(areas[0] > 0.8, areas[1] >= max(areas[1:]) and areas[1] - 0.5 > (areas[0] - 0.5) / 2)


@prediction("Strong function is equivalent to its shuffled values.")
def _18(networks, answers):
    row = of(answers, 1, claim="strong function", second="0.5 I + function shuffled").iloc[0]
    text = f"{number(row['difference'], 2)}, p (Holm) {row['p_holm']:.3f}"
    return text, outcome(equivalent(pd.Series([row["says"]])))


@prediction("One unit with a self-connection learns in less than half of the networks, eight in at least 90 %.")
def _19(networks, answers):
    few = networks[networks["study"] == "few units"]
    one, eight = (learn(few[few["start"] == f"{units} units"]) for units in (1, 8))
    return f"one {one[0]}, eight {eight[0]}", outcome(one[1] < 0.5, eight[1] >= 0.9)


@prediction("At a learning rate of 0.0003 orthogonal is within 0.10 of functional; 40 epochs do not save it.")
def _20(networks, answers):
    rows = of(answers, 4, second="orthogonal").set_index("context")["difference"]
    slow, longer = (rows[rows.index.str.contains(what)].iloc[0] for what in ("0.0003", "40 epochs"))
    text = f"functional − orthogonal {number(slow, 2)}; after 40 epochs {number(longer, 2)}"
    return text, outcome(bool(abs(slow) < 0.1), bool(longer > 0.1))


@prediction(
    "Asked again of new runs, the connectome's order is worth no more than 0.10, against each control and field."
)
def _21(networks, answers):
    rows = of(answers, 3, claim="wiring as start, again")["difference"]
    return " / ".join(number(value, 2) for value in rows), outcome(
        bool(rows.max() <= 0.1) if len(rows) == 4 else None
    )


@prediction(
    "Asked again, strong function is better than shuffled by more than 0.05 in both fields, and within 0.10 of "
    "strengths kept."
)
def _22(networks, answers):
    rows = of(answers, 1, claim="strong function, again").set_index(["second", "context"])["difference"]
    shuffled, kept = (rows[f"0.5 I + function{what}"] for what in (" shuffled", ", strengths kept"))
    text = "; ".join(" and ".join(number(value, 2) for value in values) for values in (shuffled, kept))
    return text, outcome(bool(shuffled.min() > 0.05), bool(kept.abs().max() < 0.1))


@prediction(
    "At one spectral radius, the connectome's order is worth no more than 0.10: the advantage was the radius."
)
def _23(networks, answers):
    rows = of(answers, 3, claim="wiring at one radius")["difference"]
    sizes = " / ".join(number(value, 2) for value in rows)
    return f"{sizes}; the reason is not shown", outcome(bool(rows.max() <= 0.1), None)
