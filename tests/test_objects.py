"""What a user's own object is: the same digest for the same object, another for another."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from biornn_lite.errors import InputError
from biornn_lite.plumbing.objects import digest_of, name_of
from biornn_lite.tasks import GoNoGo
from biornn_lite.weights import Functional, Identity


def scaled(factor):
    def start(field, rng):
        return factor * rng.random((field, field))

    return start


@dataclass(frozen=True)
class Start:
    size: float
    table: object = None

    def __call__(self, field, rng):
        return self.size


class Plain:
    def __init__(self, size):
        self.size = size

    def method(self, field, rng):
        return self.size


def leaky(keeps):
    class Base(Plain):
        def method(self, field, rng):
            return keeps * super().method(field, rng)

    class Leaky(Base):
        share: float = 0.1

    return Leaky


def in_a_notebook(number):
    """A class of which there is no source, as in a kernel."""
    space = {"__name__": "__main__"}
    exec(f"class Start:\n    def __call__(self, field, rng):\n        return {number}", space)
    return space["Start"]


def module(number):
    made = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(made.weight, number)
    torch.nn.init.constant_(made.bias, 0.0)
    return made


DIFFERENT = [
    lambda: lambda field, rng: 1,
    lambda: lambda field, rng: 2,
    lambda: scaled(1),
    lambda: scaled(2),
    lambda: functools.partial(max, 1),
    lambda: functools.partial(max, 2),
    lambda: functools.partial(min, 1),
    lambda: Start(1),
    lambda: Start(2),
    lambda: Start(1, np.arange(3)),
    lambda: Start(1, np.arange(3) * 1.0),
    lambda: Start(1, {"a": 1}),
    lambda: Start(1, {"a": 2}),
    lambda: Start(1, {3, 4}),
    lambda: Start(1, np.float32(3)),
    lambda: Plain(1),
    lambda: Plain(2),
    lambda: Plain(1).method,
    lambda: Identity(),
    lambda: Identity(0.5),
    lambda: Functional(),
    lambda: GoNoGo(),
    lambda: GoNoGo(delay=14),
    lambda: Start,
    lambda: Plain,
    lambda: leaky(0.5),
    lambda: leaky(0.9),
    lambda: leaky(0.9)(1),
    lambda: functools.partial(max, torch.tensor([1.0, 2.0])),
    lambda: functools.partial(max, torch.tensor([1.0, 3.0])),
    lambda: functools.partial(max, pd.DataFrame({"a": [1]})),
    lambda: functools.partial(max, pd.DataFrame({"a": [2]})),
    lambda: functools.partial(max, Path("a")),
    lambda: functools.partial(max, Path("b")),
    lambda: in_a_notebook("0.5"),
    lambda: in_a_notebook("0.6"),
    lambda: in_a_notebook("0.6")(),
    lambda: torch.nn.Identity(),
    lambda: module(1.0),
    lambda: module(2.0),
]


def test_the_same_object_has_the_same_digest_and_others_have_others():
    digests = [digest_of(make()) for make in DIFFERENT]
    assert digests == [digest_of(make()) for make in DIFFERENT]
    assert len(set(digests)) == len(digests)


def test_names_say_where_an_object_is_from():
    assert name_of(scaled(1)) == "test_objects.scaled.<locals>.start"
    assert name_of(functools.partial(scaled, 1)) == "partial(test_objects.scaled)"
    assert name_of(Identity()) == "biornn_lite.weights.Identity"
    assert name_of(Plain(1).method) == "test_objects.Plain.method"


def test_a_function_without_source_is_told_by_its_code():
    space = {}
    exec("def f(x): return x + 1\ndef g(x): return x + 2", space)
    assert digest_of(space["f"]) != digest_of(space["g"])


def test_what_holds_itself_has_a_digest():
    knot = []
    knot.append(knot)
    assert digest_of(knot) != digest_of([[]])


def test_what_cannot_be_read_is_refused():
    class Slotted:
        __slots__ = ("size",)

    for thing in (np.random.default_rng(0), Slotted(), iter([1])):
        with pytest.raises(InputError, match="cannot tell it from another"):
            digest_of(functools.partial(max, thing))
