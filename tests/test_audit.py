"""The audit's studies are those of the plan, and the script that trains them goes on and packs what there is."""

import hashlib
import re
from collections import Counter
from dataclasses import fields, replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, script

from biornn_lite import audit, controls, verdict, weights
from biornn_lite import study as studies
from biornn_lite.audit import (
    CURVE_CHOICES,
    DECISIVE_STARTS,
    FACTORS,
    HARDER_TASKS,
    SPACES,
    STARTS,
    STUDIES,
    SWEPT,
    SWEPT_STARTS,
    TARGETS,
    TWELVE_FIELDS,
    Part,
    chosen_weights,
    parts,
    reached,
    specification,
    unseen_types,
    variant,
    with_names,
)
from biornn_lite.datasets import load_field
from biornn_lite.errors import InputError
from biornn_lite.priors import Priors
from biornn_lite.results import COLUMNS, CURVE_COLUMNS, ceilings
from biornn_lite.seeds import generator, run_seed
from biornn_lite.space import mean_distance
from biornn_lite.synthetic import ColumnRecipe, synthetic_field
from biornn_lite.tasks import DOWN, LEFT, RIGHT, TASKS, UP, OneChoiceInference, accuracy_of_best_guess
from biornn_lite.training import Settings
from biornn_lite.variants import PROTOCOLS, PUBLISHED_VARIANTS, Protocol

CHOSEN = {start: SWEPT[k % len(SWEPT)] for k, start in enumerate(SWEPT_STARTS)}


def parts_of(study: str, combinations: int = 12) -> list[Part]:
    return parts(study, CHOSEN, combinations)


def names_of(part: Part) -> list[str]:
    return [v if isinstance(v, str) else v.name for v in part.variants]


def runs_by_start(study: str) -> dict[str, int]:
    """Runs of each start of a study, added up over its parts."""
    return dict(sum((Counter({n.split(" | ")[0]: p.runs for n in names_of(p)}) for p in parts(study)), Counter()))


@pytest.fixture(scope="module")
def dense():
    """A field of 24 neurons with enough wiring for every start and target, and with a precision matrix."""
    field = synthetic_field(24, recipe=ColumnRecipe(density=0.08, seconds=300.0))
    return replace(field, precision=np.linalg.inv(field.correlation + 0.1 * np.eye(24)))


# Studies


@pytest.mark.parametrize("study", STUDIES)
def test_every_part_of_a_study_can_be_trained(study, dense):
    found = parts_of(study)
    assert len({part.name for part in found}) == len(found) > 0 and {part.study for part in found} == {study}
    for part in found:
        made = part.on(dense)
        assert [v.name for v in made.variants] == names_of(part) and len(made.networks) > 0
        assert (made.runs, made.seed, made.sign) == (part.runs, part.seed, part.sign)
        assert made.protocol == part.protocol and made.settings == part.settings


@pytest.mark.parametrize("study", STUDIES)
def test_the_name_of_a_variant_gives_start_space_and_target_back(study):
    for part in parts_of(study):
        names = names_of(part)
        assert len(set(names)) == len(names)
        found = with_names(pd.DataFrame({"variant": names}))
        for made, row in zip(part.variants, found.itertuples(index=False), strict=True):
            if isinstance(made, str):
                assert study == "choices" and made in PUBLISHED_VARIANTS
                continue
            start = row.start if study == "curve" else STARTS[row.start]  # the curve's follow its protocols
            assert (made.weights, made.space, made.communicability) == (start, SPACES[row.space], TARGETS[row.target])
            assert made.name == f"{row.start} | {row.space} | {row.target}"


def test_published_variants_have_the_names_of_their_choices():
    found = with_names(pd.DataFrame({"variant": ["W*D*C", "W", "0.95 I | D* | no C"]}, index=[4, 2, 9]))
    assert found[["start", "space", "target"]].to_numpy().tolist() == [
        ["functional", "D*", "C"], ["orthogonal", "no space", "no C"], ["0.95 I", "D*", "no C"],
    ]  # fmt: skip
    assert list(found.index) == [4, 2, 9] and list(found["variant"][:2]) == ["W*D*C", "W"]


def test_names_of_studies_and_needs_are_said():
    with pytest.raises(InputError, match="no study 'fate'; there are starts, same λ, strong function"):
        parts("fate")
    with pytest.raises(InputError, match="tuned needs the λ"):
        parts("tuned")
    for study in set(STUDIES) - {"tuned"}:
        assert parts(study, combinations=1), f"{study} needs no λ of the sweep"


@pytest.mark.parametrize(
    ("study", "field", "networks"),
    [
        ("starts", "5_3_4", 22 * 20 * 3),
        ("same λ", "5_3_4", 3 * 20 * 3),
        ("strong function", "5_3_4", 3 * 20 * 3),
        ("strong function, more controls", "5_3_4", 2 * 20 * 3),
        ("one radius, not scaled", "7_3_8", 2 * 20),
        ("few units", "5_3_4", 5 * 10 * 3),
        ("6_6_2", "6_6_2", (4 * 20 + 3 * 10) * 3),
        ("sweep", "5_3_4", 8 * 10 * 3 * 3),
        ("tuned", "5_3_4", 10 * 20 * 3),
        ("tuned by the first rule", "5_3_4", 3 * 20 * 3),
        ("learning rate", "5_3_4", 3 * 4 * 10 * 3),
        ("longer", "5_3_4", 2 * 10 * 3),
        ("positions", "5_3_4", (2 * (4 * 20 + (2 + 6) * 10) + 4 * 10) * 3),
        ("targets", "7_3_8", 2 * 4 * 10 * 3),
        ("connectome", "7_3_8", 4 * 10 * 3),
        ("one radius", "7_3_8", 3 * 20 * 3),
        ("choices", "5_3_4", (7 + 7 + 3 + 1 + 11 + 5 + 5 + 2 + 2 + 4 + 11 + 6 + 6) * 10 * 3),
        ("factorial", "5_3_4", 4 * 4 * 3 * 3 * 8),
        ("harder", "5_3_4", 5 * 10 * (4 + 2 + 1 + 1 + 1 + 1 + 3)),
        ("curve", "5_3_4", 12 * 2 + 2 * 2 * 10 * 3),
        ("6_6_2 no penalty", "6_6_2", 3 * 3 * 5),
    ],
)
def test_a_study_has_as_many_networks_as_planned(study, field, networks):
    found = parts_of(study)
    assert sum(len(part.variants) * len(part.tasks) * part.runs for part in found) == networks
    assert {part.field for part in found} == {field}


def plan_and_amendments() -> tuple[str, ...]:
    """The plan as it was before its amendments, and each amendment with its heading."""
    plan = (ROOT / "docs" / "audit_plan.md").read_text(encoding="utf-8")
    return tuple(re.split(r"(?=\n## Amendment )", plan))


def test_the_plan_above_each_amendment_is_what_it_was(make):
    before, *amendments = plan_and_amendments()
    for amendment, earlier in zip(amendments, make.EARLIER_PLANS, strict=True):
        assert hashlib.sha256(before.encode()).hexdigest()[:12] == earlier
        assert f"The digest of the text above this heading is {earlier}." in amendment
        before += amendment
    assert make.plan_digest() == hashlib.sha256(before.encode()).hexdigest()[:12]


def test_studies_that_were_run_before_the_plan_named_them_are_called_exploratory():
    before, first, *later = plan_and_amendments()
    seen = re.search(r"of two exploratory studies \((.*)\), had been seen", first).group(1)
    after_all_plans = ("strong function, more controls", "one radius, not scaled")
    assert (*re.findall(r"`([^`]+)`", seen), *after_all_plans) == audit.EXPLORATORY
    new = set(re.findall(r"\*\*`([^`]+)`\*\* \([^)]*new\)", "".join((first, *later))))
    assert new == {
        "strong function", "few units", "learning rate", "longer", "connectome again", "strong function again",
        "one radius",
    }  # fmt: skip
    renamed = {"tuned by the first rule"}
    assert {study for study in STUDIES if f"`{study}`" not in before} == {*audit.EXPLORATORY, *new, *renamed}
    named = {study for study in STUDIES if f"`{study}`" in "".join((before, first, *later))}
    assert set(STUDIES) - named == {*after_all_plans}


def test_the_connectome_is_asked_again_with_new_runs_in_two_fields():
    (once,), again = parts("connectome"), parts("connectome again")
    assert [part.field for part in again] == ["7_3_8", "8_5_8"]
    for part in again:
        assert (part.variants, part.protocol, part.settings) == (once.variants, once.protocol, once.settings)
        assert part.runs == 20 and not {run_seed(part.seed, k) for k in range(20)} & {
            run_seed(once.seed, k) for k in range(20)
        }


def test_strong_function_is_asked_again_with_new_runs_in_two_fields():
    (once,), again = parts("strong function"), parts("strong function again")
    assert [part.field for part in again] == ["5_3_4", "5_3_2"]
    for part in again:
        assert (part.protocol, part.settings, part.runs, part.seed) == (once.protocol, once.settings, 20, 19)
        starts = ("0.5 I + function", "0.5 I + function shuffled", "0.5 I + function, strengths kept")
        assert names_of(part) == [f"{start} | D* | no C" for start in starts]


def test_at_one_radius_random_graphs_are_scaled_to_the_connectome_and_the_connectome_is_as_it_was(microns):
    (once,), (part,) = parts("connectome"), parts("one radius")
    assert (part.field, part.protocol, part.settings, part.runs) == ("7_3_8", once.protocol, once.settings, 20)
    assert part.seed not in {other.seed for study in ("connectome", "connectome again") for other in parts(study)}
    own, *random = (name.split(" | ")[0] for name in names_of(part))
    assert own == "0.5 I + connectome" and len(random) == 2
    field = load_field(microns / "all" / "7_3_8.npz")
    radius = np.abs(np.linalg.eigvals(STARTS[own](field, np.random.default_rng(0)))).max()
    for name in random:
        before = STARTS[name.removesuffix(", its radius")](field, np.random.default_rng(0))
        scaled = STARTS[name](field, np.random.default_rng(0))
        assert np.abs(np.linalg.eigvals(scaled)).max() == pytest.approx(radius, rel=1e-9)
        np.testing.assert_allclose(np.diag(scaled), 0.5)
        off = ~np.eye(field.neurons, dtype=bool) & (before > 0)
        ratio = scaled[off] / before[off]
        assert np.ptp(ratio) < 1e-9 and abs(ratio[0] - 1) > 1e-3
        assert ((scaled > 0) == (before > 0)).all()


def test_the_graphs_that_are_not_scaled_are_those_that_are():
    (scaled,), (own,) = parts("one radius"), parts("one radius, not scaled")
    assert (own.field, own.protocol, own.seed, own.runs) == (scaled.field, scaled.protocol, scaled.seed, scaled.runs)
    assert own.tasks == ("one_choice_inference",)
    assert [f"{name.split(' | ')[0]}, its radius" for name in names_of(own)] == list(audit.ONE_RADIUS[1:])


def test_the_paper_field_without_penalty_is_trained_on_one_task_at_three_learning_rates():
    found = parts("6_6_2 no penalty")
    assert [part.settings for part in found] == [Settings(learning_rate=rate) for rate in (0.001, 0.0003, 0.0001)]
    for part in found:
        assert part.protocol.penalty_weight == 0 and part.tasks == ("one_choice_inference",)
        assert names_of(part) == [f"{name} | D* | no C" for name in ("functional", "diagonal alone", "orthogonal")]


def test_all_starts_have_twenty_runs_and_on_the_paper_field_those_that_decide():
    before, amendment, *_ = plan_and_amendments()
    assert "20 runs of the first four starts, 10 of the others" in before
    assert "All starts of `starts` and `tuned` get 20 runs." in amendment
    runs = runs_by_start("starts")
    assert len(runs) == 22 and tuple(runs)[:4] == DECISIVE_STARTS and set(runs) == set(audit.PLANNED_STARTS)
    assert set(runs.values()) == {20}
    later = {
        *audit.STRONG_FUNCTION, *audit.MORE_CONTROLS, *audit.FEW_UNITS, *audit.WIRING_STARTS, *audit.ONE_RADIUS,
    } - {"0.5 I"}  # fmt: skip
    assert set(STARTS) == set(runs) | later and not set(runs) & later
    paper = dict.fromkeys(DECISIVE_STARTS, 20)
    paper |= dict.fromkeys(("functional without diagonal", "0.95 I", "orthogonal at 0.95"), 10)
    assert runs_by_start("6_6_2") == paper
    for study in ("starts", "6_6_2"):
        assert {part.protocol for part in parts(study)} == {PROTOCOLS["published"]}
        assert {name.split(" | ", 1)[1] for part in parts(study) for name in names_of(part)} == {"D* | C*"}


def test_the_sweep_and_what_it_tunes_differ_in_lambda_alone():
    sweep = parts("sweep")
    assert [part.protocol.penalty_weight for part in sweep] == [0, 0.0003, 0.003, 0.03, 0.1, 0.3, 1, 3]
    assert {(part.runs, part.seed) for part in sweep} == {(3, 180)}
    sound = replace(PROTOCOLS["published"], coordinates="transposed", units="micrometres")
    tuned = parts("tuned", CHOSEN)
    for part in (*sweep, *tuned):
        assert replace(part.protocol, penalty_weight=0.3) == sound
    found = {name.split(" | ")[0]: part for part in tuned for name in names_of(part)}
    assert list(map(len, (found, SWEPT_STARTS))) == [10, 10]
    assert {start: part.protocol.penalty_weight for start, part in found.items()} == CHOSEN
    assert {(part.seed, part.runs) for part in tuned} == {(18, 20)}
    first = parts("tuned by the first rule")
    weights_of = {name.split(" | ")[0]: part.protocol.penalty_weight for part in first for name in names_of(part)}
    assert weights_of == {"functional": 0.1, "diagonal alone": 3, "off-diagonal shuffled": 3}
    same = parts("same λ")
    assert {part.protocol.penalty_weight for part in same} == {3}
    assert {name for part in same for name in names_of(part)} == {f"{start} | D* | no C" for start in weights_of}
    for part in (*first, *same):
        assert replace(part.protocol, penalty_weight=0.3) == sound and (part.seed, part.runs) == (18, 20)


def test_strong_function_is_compared_without_penalty_and_few_units_with_the_published_one():
    (strong,), (few,) = parts("strong function"), parts("few units")
    assert strong.protocol.penalty_weight == 0 and (strong.runs, few.runs) == (20, 10)
    assert few.protocol == PROTOCOLS["published"] and strong.settings == few.settings == Settings()
    starts = ("0.5 I + function", "0.5 I + function shuffled", "0.5 I")
    assert names_of(strong) == [f"{start} | D* | no C" for start in starts]
    assert [STARTS[start] for start in starts] == [
        controls.OffDiagonal(0.5, 0.45), controls.OffDiagonal(0.5, 0.45, shuffled=True), weights.Identity(0.5),
    ]  # fmt: skip
    assert names_of(few) == [f"{units} units | D* | no C" for units in (1, 2, 4, 8, 16)]
    for units in (1, 2, 4, 8, 16):
        assert STARTS[f"{units} units"] == controls.FewUnits(units, 0.95)


def test_more_controls_of_strong_function_lose_who_is_like_whom_or_all_of_the_data(dense):
    (strong,), (more,) = parts("strong function"), parts("strong function, more controls")
    assert (more.protocol, more.seed, more.runs) == (strong.protocol, strong.seed, strong.runs), "paired by seed"
    own, kept, draws = (
        STARTS[name](dense, generator(4, "lognormal")) for name in (audit.STRONG_FUNCTION[0], *audit.MORE_CONTROLS)
    )
    for axis in (0, 1):
        np.testing.assert_allclose(kept.sum(axis), own.sum(axis))
    off = ~np.eye(24, dtype=bool)
    correlation = dense.correlation[off]
    assert np.corrcoef(own[off], correlation)[0, 1] > 0.2 + abs(np.corrcoef(kept[off], correlation)[0, 1])
    for start in (kept, draws):
        assert (np.diag(start) == np.diag(own)).all()
    lone = generator(4, "lognormal")
    assert np.corrcoef(draws[off], weights.lognormal_draws(24, lone)[off])[0, 1] == pytest.approx(1)


def test_other_learning_rates_have_no_penalty_and_longer_training_has_the_published_one():
    found = parts("learning rate")
    assert [part.settings for part in found] == [Settings(learning_rate=rate) for rate in (0.0001, 0.0003, 0.003)]
    assert Settings().learning_rate == 0.001, "which `tuned` has"
    starts = ("functional", "diagonal alone", "0.95 I", "orthogonal")
    for part in found:
        assert part.protocol.penalty_weight == 0 and part.runs == 10
        assert names_of(part) == [f"{start} | D* | no C" for start in starts]
    (longer,) = parts("longer")
    assert longer.settings == Settings(epochs=40) and longer.protocol == PROTOCOLS["published"]
    assert names_of(longer) == ["functional | D* | no C", "orthogonal | D* | no C"] and longer.runs == 10


def test_positions_are_compared_at_one_mean_distance_and_with_each_start_at_its_lambdas(dense):
    found = parts("positions")
    assert Counter((part.protocol.penalty_weight, part.runs) for part in found) == Counter(
        [*product((0.3, 3.0), (10, 20)), (0.003, 10)]
    )
    assert {replace(part.protocol, penalty_weight=0.3) for part in found} == {PROTOCOLS["published"]}
    names = [tuple(name.split(" | ")) for part in found[:2] for name in names_of(part)]
    spaces = ("cortical", "permuted", "lattice", "equal", "reshaped", "cortical, self priced")
    assert sorted(names) == sorted(product(("functional", "relabelled"), spaces, ("no C",)))
    (orthogonal,) = (part for part in found if part.protocol.penalty_weight == 0.003)
    assert names_of(orthogonal) == [f"orthogonal | {space} | no C" for space in spaces[:4]]
    twenty = {tuple(name.split(" | ")) for part in found if part.runs == 20 for name in names_of(part)}
    assert twenty == {("functional", space, "no C") for space in spaces[:4]}
    for name in spaces:
        matrix = SPACES[name](dense)
        own = 0.55 if name == "cortical, self priced" else 0
        assert (np.diag(matrix) == own).all()
        assert mean_distance(matrix - own * np.eye(24)) == pytest.approx(0.55)


def test_wiring_is_a_target_that_alone_pulls_and_a_start_without_penalty(dense):
    (targets,), (starts,) = parts("targets"), parts("connectome")
    assert (targets.runs, starts.runs) == (10, 10)
    free = replace(PROTOCOLS["published"], coordinates="transposed", units="micrometres", penalty_weight=0)
    assert starts.protocol == free
    assert targets.protocol == replace(free, emd_weight=100, isolated_neurons="zero")
    names = ("C*", "random C*", "degree-matched C*", "no C")
    assert names_of(targets) == [f"{start} | D* | {name}" for start in ("functional", "orthogonal") for name in names]
    priors = Priors(dense, targets.protocol)
    for each in targets.variants:
        start = priors.start(each, 3)
        assert (start.cost == 0).all() and start.emd_weight == (0 if each.communicability == "none" else 100)
    wired = [name.split(" | ")[0] for name in names_of(starts)]
    assert wired == ["0.5 I + connectome", "0.5 I", "0.5 I + connectome shuffled", "0.5 I + connectome, degrees kept"]
    assert {name.split(" | ", 1)[1] for name in names_of(starts)} == {"D* | no C"}


def test_starts_of_wiring_have_one_diagonal_and_one_mean_weight(dense):
    found = {name: STARTS[name](dense, generator(0, "lognormal")) for name in audit.WIRING_STARTS}
    off, true = ~np.eye(24, dtype=bool), dense.connectome
    for name, matrix in found.items():
        assert (np.diag(matrix) == 0.5).all(), name
        assert name == "0.5 I" or matrix[off][matrix[off] > 0].mean() == pytest.approx(0.2), "not rescaled"
    assert (found["0.5 I"][off] == 0).all()
    np.testing.assert_allclose(
        found["0.5 I + connectome"][off], true[off] * (0.2 / true[off][true[off] > 0].mean()), err_msg="in true order"
    )
    kept, mixed = found["0.5 I + connectome, degrees kept"], found["0.5 I + connectome shuffled"]
    for axis in (0, 1):
        np.testing.assert_array_equal((kept > 0).sum(axis), (true + np.eye(24) > 0).sum(axis))
    assert ((mixed > 0) != (true + np.eye(24) > 0)).any() and (mixed > 0).sum() == (kept > 0).sum()


def test_choices_are_turned_one_at_a_time_where_they_reach():
    found = {part.name: part for part in parts("choices")}
    assert {(part.runs, part.seed, part.field) for part in found.values()} == {(10, 0, "5_3_4")}
    published, sound = PROTOCOLS["published"], PROTOCOLS["sound"]
    for name, part in found.items():
        changed = {c.name for c in fields(Protocol) if getattr(part.protocol, c.name) != getattr(published, c.name)}
        if name == "all sound":
            assert part.protocol == sound and tuple(part.variants) == PUBLISHED_VARIANTS
        elif name == "positive, published":
            assert not changed and part.sign == "positive"
        else:
            setting = name.removeprefix("positive, ")
            assert changed == {setting.split("=")[0]} and tuple(part.variants) == reached(setting)
            assert getattr(part.protocol, setting.split("=")[0]) == setting.split("=")[1]
    assert [name for name, part in found.items() if part.sign == "positive"] == [
        "positive, published", "positive, positive_start=rescaled",
    ]  # fmt: skip
    turned = {name.removeprefix("positive, ").split("=")[0] for name in found if "=" in name}
    measured = {"reported_accuracy", "small_world_null"}  # of what is measured, not of training
    of_sound = {c.name for c in fields(Protocol) if getattr(sound, c.name) != getattr(published, c.name)}
    assert turned >= of_sound - measured and not turned & measured


@pytest.mark.parametrize("setting", [*audit.TURNED, "positive_start=rescaled"])
def test_a_choice_reaches_the_variants_whose_training_it_changes(setting, dense):
    """Of the others, no start differs in weights, cost or target.

    A matched penalty leaves W*D*C*, by which others are matched, as it is; this one is trained again all the same.
    """
    sign = "positive" if setting.startswith("positive") else "free"
    with_it, without = (
        Part("", "", "", PUBLISHED_VARIANTS, runs=1, protocol=protocol, sign=sign).on(dense)
        for protocol in (PROTOCOLS["published"].choose([setting]), PROTOCOLS["published"])
    )
    changed = []
    for name in PUBLISHED_VARIANTS:
        one, other = (Priors(dense, study.protocol, sign).start(name, 3) for study in (with_it, without))
        ends = [(start.weights, start.cost, start.sorted_target) for start in (one, other)]
        if not all(a is b is None or np.allclose(a, b, rtol=1e-9, atol=0) for a, b in zip(*ends, strict=True)):
            changed.append(name)
    unmoved = {"W*D*C*"} if setting == "penalty_start=matched" else set()
    assert changed == [name for name in reached(setting) if name not in unmoved]


def test_the_factorial_has_all_combinations_and_one_lambda_for_all(dense):
    (part,) = parts("factorial")
    assert [tuple(name.split(" | ")) for name in names_of(part)] == list(product(*FACTORS.values()))
    assert list(map(len, FACTORS.values())) == [4, 4, 3] and part.runs == 8
    protocol = part.protocol
    assert (protocol.penalty_weight, protocol.emd_weight, protocol.penalty_start) == (0.003, 0.001, "fixed")
    assert (protocol.self_connections, protocol.isolated_neurons) == ("kept", "zero")
    priors = Priors(dense, part.on(dense).protocol)
    for start, space, target in product(FACTORS["start"], FACTORS["space"], ("no C", "C*")):
        made = priors.start(variant(start, space, target), 5)
        np.testing.assert_allclose(made.cost, 0.003 * SPACES[space](dense), err_msg=f"{start}, {space}")
        assert made.cost[~np.eye(24, dtype=bool)].mean() == pytest.approx(0.003 * 0.55)
        assert made.emd_weight == (0.001 if target == "C*" else 0)


def test_twelve_fields_have_four_variants_and_five_runs():
    found = parts("fields")
    assert [part.field for part in found] == list(TWELVE_FIELDS) and len(set(TWELVE_FIELDS)) == 12
    plan = (ROOT / "docs" / "audit_plan.md").read_text(encoding="utf-8")
    assert ", ".join(TWELVE_FIELDS) in plan
    assert {(part.runs, part.seed, len(part.variants), part.tasks) for part in found} == {(5, 18, 4, tuple(TASKS))}
    for contrast, sides in verdict.FIELD_CONTRASTS.items():
        assert set(sides) <= set(names_of(found[0])), contrast


def test_harder_conditions_have_no_penalty():
    starts = ("functional", "diagonal alone", "off-diagonal shuffled", "0.95 I", "orthogonal at 0.95")
    of_start = dict.fromkeys(starts, 0)
    found = parts("harder")
    assert [part.name for part in found] == ["harder tasks", "input noise 0.2", "a tenth of the trials"]
    for part in found:
        assert part.protocol.penalty_weight == 0 and (part.runs, part.seed) == (10, 18)
        assert names_of(part) == [f"{start} | D* | no C" for start in starts]
        of_start = {start: count + len(part.tasks) for start, count in of_start.items()}
        if part.name.startswith("input noise"):
            assert part.settings == Settings(input_noise=0.2) and part.tasks == ("one_choice_inference",)
        elif part.name.startswith("a tenth"):
            few, all_of_them = part.settings, Settings()
            assert few.batches * few.batch_size == 512 == all_of_them.batches * all_of_them.batch_size // 10
            assert few.epochs == 10 * all_of_them.epochs and few.batch_size == all_of_them.batch_size
            assert part.tasks == tuple(TASKS)
    assert of_start == dict.fromkeys(starts, 13)


def test_all_folders_differ(make):
    folders = [make.folder_of(part, ROOT) for study in STUDIES for part in parts_of(study)]
    assert len(set(folders)) == len(folders)


# The λ of each start


def swept(gains: dict[str, list[float]], weights=(0.0, 0.1, 0.3, 1.0)) -> pd.DataFrame:
    """Rows of a sweep on Go/NoGo, whose gain is twice the accuracy above one half."""
    rows = [
        (f"{start} | D* | no C", "go_nogo", run, "ok", (1 + value + 0.1 * (run - 1)) / 2, weight)
        for start, values in gains.items()
        for weight, value in zip(weights, values, strict=True)
        for run in range(3)
    ]
    columns = ["variant", "task", "run", "status", "test_accuracy", "penalty_weight"]
    return pd.DataFrame(rows, columns=columns).sample(frac=1, random_state=0)


def test_lambda_is_the_smallest_of_those_whose_mean_gain_is_nearly_the_highest():
    found = chosen_weights(
        swept(
            {
                "functional": [0.892, 0.9, 0.8995, 0.5],  # within 0.01
                "diagonal alone": [0.888, 0.9, 0.5, 0.1],  # 0.012 less
                "off-diagonal shuffled": [0.5, 0.691, 0.7, 0.7],
                "orthogonal": [0.2, 0.9, 0.5, 0.1],
                "lognormal": [0.5, 0.892, 0.884, 0.9],
                "0.95 I": [0.7, 0.7, 0.7, 0.7],
                "same spectrum": [0.1, 0.2, 0.3, 0.4],
            }
        )
    )
    assert found == {
        "functional": 0.0, "diagonal alone": 0.1, "off-diagonal shuffled": 0.1, "orthogonal": 0.1, "lognormal": 0.1,
        "0.95 I": 0.0, "same spectrum": 1.0,
    }  # fmt: skip


def test_a_diverged_network_counts_when_lambda_is_chosen():
    rows = swept({"functional": [0.9, 0.8, 0.7, 0.6]})
    assert chosen_weights(rows) == {"functional": 0.0}
    lost = (rows["penalty_weight"] == 0) & (rows["run"] == 0)
    rows.loc[lost, ["status", "test_accuracy"]] = "diverged", np.nan
    assert chosen_weights(rows) == {"functional": 0.1}


# Harder tasks


def test_the_unseen_pairs_follow_the_rule_and_complete_it():
    unseen, known = unseen_types(), OneChoiceInference().types
    accepts = {0: {LEFT, UP}, 1: {UP, RIGHT}, 2: {LEFT, DOWN}, 3: {RIGHT, DOWN}}
    for goal, choices, answer in (*unseen, *known):
        assert answer in choices and answer in accepts[goal] and len(set(choices) & accepts[goal]) == 1
    pairs = [(goal, frozenset(choices)) for goal, choices, _ in (*known, *unseen)]
    valid = {
        (goal, frozenset(both))
        for goal, both in product(range(4), product(range(4), repeat=2))
        if len(set(both) & accepts[goal]) == 1 and both[0] != both[1]
    }
    assert len(unseen) == 8 and len(valid) == 16 and set(pairs) == valid and len(pairs) == 16


@pytest.mark.parametrize("name", HARDER_TASKS)
def test_every_harder_task_has_two_ceilings(name):
    low, best = ceilings(HARDER_TASKS[name], "test")
    assert np.isfinite([low, best]).all() and low < best <= 1
    assert HARDER_TASKS[name].name == name and name not in TASKS


def test_the_unseen_pairs_have_the_ceilings_of_what_a_network_sees():
    """Both choices are shown at once: without the goal, their order does not tell the answer."""
    task = HARDER_TASKS["one-choice, unseen pairs"].tested_as
    x, labels = task.trials(4000, generator(0, "test"))
    seen = [(tuple(row), label) for row, label in zip(x[:, -1], labels, strict=True)]
    assert accuracy_of_best_guess(seen) == pytest.approx(5 / 8, abs=0.02)
    assert (task.memoryless_ceiling(), task.best_ceiling()) == (5 / 8, 1)


def test_harder_tasks_are_harder_in_one_thing():
    delays = {name: task.phases for name, task in HARDER_TASKS.items() if "delay" in name}
    assert len(delays) == 6
    for name, phases in delays.items():
        base = {"one-choice": TASKS["one_choice_inference"], "Go/NoGo": TASKS["go_nogo"]}.get(
            name.split(",")[0], TASKS["perceptual_decision_making"]
        )
        differ = [k for k, (a, b) in enumerate(zip(phases, base.phases, strict=True)) if a != b]
        assert len(differ) == 1 and phases[differ[0]][1] in (20, 40) and base.phases[differ[0]][1] == 10, name
    tested = {name for name, task in HARDER_TASKS.items() if task.tested_as is not None}
    assert tested == {"perceptual, easy to hard", "one-choice, unseen pairs"}
    easy = HARDER_TASKS["perceptual, easy to hard"]
    assert easy.coherences == (25.6, 51.2) and easy.tested_as.coherences == (6.4, 12.8)
    assert ceilings(easy, "test")[1] < ceilings(easy, "train")[1]
    assert HARDER_TASKS["perceptual, noise 0.2"].noise == 0.2
    pairs = HARDER_TASKS["one-choice, unseen pairs"]
    assert pairs.types == OneChoiceInference().types and pairs.tested_as.types == unseen_types()


# The specification curve


FIRST = {
    "task": "perceptual_decision_making", "space": "no space", "target": "C", "sign": "positive",
    "coordinates": "reshaped", "units": "micrometres", "lattice_scale": "matched", "lambda_in_w": "ignored",
    "isolated_neurons": "epsilon", "self_connections": "removed", "function": "sttc", "positive_start": "rescaled",
    "trials": "shared", "input_noise": 0.1, "learning_rate": 0.001, "penalty_weight": 0.0,
}  # fmt: skip
"""The first combination."""


def test_a_combination_is_drawn_again_the_same():
    assert specification(7) == specification(7) != specification(8)
    assert specification(0) == FIRST, "shipped rows are joined to these draws by their numbers"
    assert set(FIRST) == {*CURVE_CHOICES, "penalty_weight"}


def test_combinations_take_every_value_and_no_penalty_in_one_of_eight():
    drawn = pd.DataFrame([specification(number) for number in range(300)])
    for name, values in CURVE_CHOICES.items():
        shares = drawn[name].value_counts(normalize=True)
        assert set(shares.index) == set(values), name
        assert (abs(shares - 1 / len(values)) < 0.12).all(), name
    zero = drawn["penalty_weight"] == 0
    assert 20 < zero.sum() < 58, "in 99.9 % of draws with probability 1/8"
    logs = np.log10(drawn.loc[~zero, "penalty_weight"])
    assert -3.5 <= logs.min() < -3.3 and 0.3 < logs.max() <= 0.5 and abs(logs.mean() + 1.5) < 0.25


def test_a_part_of_the_curve_has_the_choices_that_were_drawn():
    cursors, drawn = parts_of("curve")[:2], parts_of("curve")[2:]
    assert [(part.name, part.runs, part.seed) for part in cursors] == [("published", 10, 18), ("sound", 10, 18)]
    assert [part.protocol for part in cursors] == list(PROTOCOLS.values())
    for number, part in enumerate(drawn):
        of = specification(number)
        assert (part.name, part.runs, part.seed) == (f"{number:04}", 1, 1000 + number)
        assert part.tasks == (of["task"],) and part.sign == of["sign"]
        assert part.settings == Settings(input_noise=of["input_noise"], learning_rate=of["learning_rate"])
        mine = vars(part.protocol)
        assert mine["penalty_weight"] == of["penalty_weight"]
        assert mine["emd_weight"] == pytest.approx(of["penalty_weight"] / 3)
        own = {name: value for name, value in of.items() if name in mine and name != "penalty_weight"}
        assert own.items() <= mine.items() and len(own) == 9
        sides = [(v.weights, v.space, v.communicability) for v in part.variants]
        ends = SPACES[of["space"]], TARGETS[of["target"]]
        assert sides == [("functional", *ends), ("orthogonal", *ends)]


# The script that trains


@pytest.fixture(scope="module")
def make():
    return script("data/make_audit.py")


TINY = Settings(epochs=1, batches=1, batch_size=8, test_trials=8)


def tiny(study: str, *starts: str, name: str = "λ = 0.3, others", target: str = "no C") -> Part:
    these = tuple(variant(start, "D*", target) for start in starts)
    return Part(study, name, "5_3_4", these, ("go_nogo",), runs=2, settings=TINY)


@pytest.fixture
def shipped(make, tmp_path, monkeypatch):
    """A folder for the packed tables, from which the library also reads."""
    here = tmp_path / "data" / "audit"
    here.mkdir(parents=True)
    (here / "README.md").write_text(f"Above.\n\n{make.BEGIN}old{make.END}\n\nBelow.\n", encoding="utf-8")
    monkeypatch.setattr(make, "HERE", here)
    monkeypatch.setattr(verdict, "data_folder", lambda: here.parent)
    verdict._tables.cache_clear()
    yield here
    verdict._tables.cache_clear()


def test_a_part_is_trained_once_and_packed_with_the_digest_of_the_plan(make, small, shipped, tmp_path, monkeypatch):
    part, out = tiny("starts", "0.5 I", "functional"), tmp_path / "out"
    make.train(part, small, out, jobs=1, progress=False)
    folder = make.folder_of(part, out)
    assert folder.parent == out / "starts" and re.fullmatch(r"[A-Za-z0-9.=_-]+", folder.name)
    before = (folder / "results.csv").read_bytes()
    with monkeypatch.context() as m:
        m.setattr("biornn_lite.study.train", lambda *_: pytest.fail("trained again"))
        make.train(part, small, out, jobs=1, progress=False)
    assert (folder / "results.csv").read_bytes() == before
    make.train(replace(part, runs=3), small, out, jobs=1, progress=False)

    make.pack(out, lambda name: small)
    rows = pd.read_csv(shipped / "networks.csv.gz")
    assert list(rows.columns[:2]) == ["study", "part"] and set(COLUMNS) <= set(rows)
    assert len(rows) == 6 and set(rows["part"]) == {"λ = 0.3, others"} and set(rows["study"]) == {"starts"}
    plan = (ROOT / "docs" / "audit_plan.md").read_text(encoding="utf-8")
    assert set(rows["plan"]) == {hashlib.sha256(plan.encode()).hexdigest()[:12]}
    assert set(rows["seed"]) == {run_seed(18, run) for run in range(3)}

    found = verdict.load_audit("starts")
    assert set(found.networks["start"]) == {"0.5 I", "functional"} and len(verdict.load_audit("tuned").networks) == 0
    np.testing.assert_allclose(found.networks["gain"], 2 * found.networks["test_accuracy"] - 1, atol=1e-5)
    assert set(CURVE_COLUMNS) <= set(found.curves) and len(found.curves) == 6
    assert len(verdict.load_audit().networks) == 6


def test_what_is_not_trained_here_stays_as_it_is_shipped(make, small, shipped, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    make.train(tiny("targets", "functional", name="matched"), small, first, jobs=1, progress=False)
    make.pack(first, lambda name: small)
    before = pd.read_csv(shipped / "networks.csv.gz")
    make.train(tiny("6_6_2", "0.95 I", name="published"), small, second, jobs=1, progress=False)
    make.pack(second, lambda name: small)
    after = pd.read_csv(shipped / "networks.csv.gz")
    assert Counter(after["study"]) == {"targets": 2, "6_6_2": 2}
    kept = after[after["study"] == "targets"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, before, check_dtype=False)
    assert len(make.rows_of("targets", second)) == 2 and len(make.rows_of("6_6_2", second)) == 2
    card = (shipped / "README.md").read_text(encoding="utf-8")
    assert card.startswith("Above.") and card.rstrip().endswith("Below.") and "old" not in card
    assert card.count("| `targets` |") == card.count("| `6_6_2` |") == 1


def test_rows_of_another_plan_are_not_continued(make, small, tmp_path, monkeypatch):
    part = tiny("starts", "0.5 I")
    make.train(part, small, tmp_path, jobs=1, progress=False)
    other = tmp_path / "plan.md"
    other.write_text("Another plan.", encoding="utf-8")
    monkeypatch.setattr(make, "PLAN", other)
    with pytest.raises(InputError, match="follow another plan"):
        make.train(replace(part, runs=3), small, tmp_path, jobs=1, progress=False)


def test_rows_of_earlier_plans_are_continued_and_keep_theirs(make, small, tmp_path, monkeypatch):
    part = tiny("starts", "0.5 I")
    folder = make.folder_of(part, tmp_path)
    for runs, plan in enumerate((*make.EARLIER_PLANS, make.plan_digest()), start=1):
        with monkeypatch.context() as m:
            m.setattr(make, "plan_digest", lambda plan=plan: plan)
            m.setattr(make, "EARLIER_PLANS", make.EARLIER_PLANS[: runs - 1])
            for _ in range(2):
                make.train(replace(part, runs=runs), small, tmp_path, jobs=1, progress=False)
    networks = make.rows_of("starts", tmp_path)
    assert make.plans_of(networks.sort_values("run"), folder) == [*make.EARLIER_PLANS, make.plan_digest()]


def test_shipped_rows_are_kept_and_only_the_others_are_trained(make, small, shipped, tmp_path, monkeypatch):
    part, more = (replace(tiny("starts", "0.5 I", "functional"), runs=runs) for runs in (2, 4))
    whole, first, second = (tmp_path / name for name in ("whole", "first", "second"))
    make.train(more, small, whole, jobs=1, progress=False)
    with monkeypatch.context() as m:
        m.setattr(make, "plan_digest", lambda: make.EARLIER_PLANS[0])
        make.train(part, small, first, jobs=1, progress=False)
        make.pack(first, lambda name: small)

    trained = []
    with monkeypatch.context() as m:
        own = studies.train
        m.setattr(studies, "train", lambda starts, *rest: trained.append(len(starts)) or own(starts, *rest))
        make.train(more, small, second, jobs=1, progress=False, go_on=True)
        assert sum(trained) == 4, "two runs of two starts"
        make.train(more, small, second, jobs=1, progress=False, go_on=True)
        assert sum(trained) == 4
    make.pack(second, lambda name: small)
    rows = pd.read_csv(shipped / "networks.csv.gz").set_index(["variant", "run"]).sort_index()
    assert (rows["plan"] == make.EARLIER_PLANS[0]).tolist() == [True, True, False, False] * 2
    one_go = make.rows_of("starts", whole).set_index(["variant", "run"]).sort_index()
    numbers = ["seed", "test_accuracy", "penalty"]
    np.testing.assert_allclose(rows[numbers], one_go[numbers], rtol=1e-5)


def test_lambda_is_read_from_the_sweep_that_was_trained(make, small, tmp_path):
    for weight in (0.0, 1.0):
        part = tiny("sweep", *SWEPT_STARTS, name=f"λ = {weight:g}")
        part = replace(part, protocol=replace(part.protocol, penalty_weight=weight), runs=1)
        make.train(part, small, tmp_path, jobs=1, progress=False)
    tuned = make.listed("tuned", tmp_path, 5)
    chosen = chosen_weights(make.rows_of("sweep", tmp_path))
    assert set(chosen) == set(SWEPT_STARTS) and set(chosen.values()) <= {0.0, 1.0}
    assert {n.split(" | ")[0]: p.protocol.penalty_weight for p in tuned for n in names_of(p)} == chosen
    assert len(make.listed("curve", tmp_path, 5)) == 7


def test_controls_of_the_audit_are_made_of_the_published_start(dense):
    """Starts without a measure of their own are drawn from the stream of ``W*``, so runs are paired."""
    own = STARTS["functional"](dense, generator(4, "lognormal"))
    alone = STARTS["diagonal alone"](dense, generator(4, "lognormal"))
    assert np.corrcoef(np.diag(own), np.diag(alone))[0, 1] == pytest.approx(1)
    assert isinstance(STARTS["off-diagonal shuffled"], controls.Shuffled)
