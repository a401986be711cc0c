"""Arrays of numbers out of a pickle, of which nothing is run: what it says is noted, and the notes are then built."""

from __future__ import annotations

import io
import math
import pickle
import pickletools

import numpy as np

# What a pickle of arrays of numbers is made of. Everything else, such as making objects of other classes
# (INST, OBJ, NEWOBJ), registered extensions (EXT1 …) and references to the outside (PERSID …), is refused.
_OPCODES = frozenset(
    "PROTO FRAME STOP MARK POP NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 BINFLOAT "
    "SHORT_BINBYTES BINBYTES BINBYTES8 SHORT_BINUNICODE BINUNICODE "
    "EMPTY_LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 "
    "PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD".split()
)

# The state of a plain type: no parts, no names, no flags.
_PLAIN = [None, None, None, -1, -1, 0]
_NUMBER_TYPES = {f"{kind}{size}" for kind, sizes in {"f": "248", "i": "1248", "u": "1248"}.items() for size in sizes}


MOST_STEPS = 1_000_000
"""Opcodes of the longest pickle that is read: 50 for each of the 20,000 neurons of the largest field."""


def unpickle(data: bytes) -> np.ndarray:
    """Return the array, perhaps of arrays, that a pickle holds.

    Raises
    ------
    Exception
        Of any kind, if it is damaged, holds something else, or asks for more memory than its size warrants.
    """
    for step, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if step == MOST_STEPS:
            raise ValueError(f"the pickle takes more than {MOST_STEPS:,} steps, which no field needs")
        if opcode.name not in _OPCODES:
            raise ValueError(f"the pickle uses {opcode.name}, which arrays of numbers do not need")
        if opcode.name.endswith("PUT") and int(argument) > len(data):
            raise ValueError(f"the pickle asks for {argument} places in memory")
    return _Builder(8 * len(data) + 2**18).built(_ArrayUnpickler(data).load())


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickle arrays into plain notes of what they hold; not even NumPy is called with what a file says."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))

    def find_class(self, module: str, name: str):
        if (module, name) in (("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")):
            return _ArrayNote
        if (module, name) == ("numpy", "dtype"):
            return _TypeNote
        if (module, name) == ("numpy", "ndarray"):
            return None  # only ever an argument
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not an array")


class _TypeNote:
    """What a pickle says of the type of an array's entries."""

    def __init__(self, code: str, *_) -> None:
        self.code, self.order, self.more = code, "|", []

    def __setstate__(self, state: tuple) -> None:
        _, self.order, *self.more = state


class _ArrayNote:
    """What a pickle says of an array."""

    def __init__(self, *_) -> None:
        self.state = None

    def __setstate__(self, state: tuple) -> None:
        self.state = state


class _Builder:
    """Builds what notes describe, of no more than `budget` bytes, where each number takes 8.

    What a pickle spells out takes at most 8 times its size. But it can also say in a few bytes that a list stands in
    many places of another list, which stands in many places of another.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget

    def spend(self, size: int) -> None:
        self.budget -= size
        if self.budget < 0:
            raise ValueError("the pickle repeats what it holds until it takes too much memory")

    def built(self, note: object) -> object:
        """Build the array that a note describes; numbers and lists of them stay what they are."""
        if isinstance(note, (list, tuple)):
            return self.items(note)
        if isinstance(note, _ArrayNote):
            return self.array(note)
        if not isinstance(note, (int, float)):
            raise ValueError(f"it holds {type(note).__name__} where numbers belong")
        self.spend(8)
        return note

    def items(self, notes: list | tuple) -> list:
        self.spend(8)
        return [self.built(note) for note in notes]

    def array(self, note: _ArrayNote) -> np.ndarray:
        self.spend(64)
        _, shape, kind, fortran, content = note.state
        if kind.code in ("O", "O8"):
            if not isinstance(content, list) or math.prod(shape) != len(content):
                raise ValueError(f"an array of objects of shape {shape} does not hold a list of as many")
            array = np.empty(len(content), dtype=object)
            for place, item in enumerate(self.items(content)):
                array[place] = item
            return array.reshape(shape)  # objects stand row by row, whatever `fortran` says
        if kind.code not in _NUMBER_TYPES or kind.order not in ("<", ">", "|", "=") or kind.more != _PLAIN:
            raise ValueError(f"an array holds {kind.order}{kind.code}, which is not a plain number")
        array = np.frombuffer(content, kind.order + kind.code)
        self.spend(8 * array.size)
        return array.reshape(shape, order="F" if fortran else "C").copy()
