"""Reading arrays of numbers from a pickle without running it: its contents are noted, and arrays built from notes."""

from __future__ import annotations

import io
import math
import pickle
import pickletools

import numpy as np

# Opcodes of a pickle of arrays of numbers. All other opcodes are rejected, for example for objects of other classes
# (INST, OBJ, NEWOBJ), registered extensions (EXT1 …) and external references (PERSID …).
_OPCODES = frozenset(
    "PROTO FRAME STOP MARK POP NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 BINFLOAT "
    "SHORT_BINBYTES BINBYTES BINBYTES8 SHORT_BINUNICODE BINUNICODE "
    "EMPTY_LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 "
    "PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD".split()
)

# The state of a simple type: no fields, no names, no flags.
_PLAIN = [None, None, None, -1, -1, 0]
_NUMBER_TYPES = {f"{kind}{size}" for kind, sizes in {"f": "248", "i": "1248", "u": "1248"}.items() for size in sizes}


MOST_STEPS = 1_000_000
"""Maximum number of opcodes in a pickle: 50 for each of the 20,000 neurons in the largest field."""


def unpickle(data: bytes) -> np.ndarray:
    """Return the array in a pickle; its entries may be arrays.

    Raises
    ------
    Exception
        Any exception, if the pickle is damaged, holds other data, or needs too much memory for its size.
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
    """Unpickle arrays into simple notes of their contents; NumPy is never called with values from the file."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))

    def find_class(self, module: str, name: str):
        if (module, name) in (("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")):
            return _ArrayNote
        if (module, name) == ("numpy", "dtype"):
            return _TypeNote
        if (module, name) == ("numpy", "ndarray"):
            return None  # only used as an argument
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not an array")


class _TypeNote:
    """The data type of an array as described in a pickle."""

    def __init__(self, code: str, *_) -> None:
        self.code, self.order, self.more = code, "|", []

    def __setstate__(self, state: tuple) -> None:
        _, self.order, *self.more = state


class _ArrayNote:
    """An array as described in a pickle."""

    def __init__(self, *_) -> None:
        self.state = None

    def __setstate__(self, state: tuple) -> None:
        self.state = state


class _Builder:
    """Builds arrays from notes, with at most `budget` bytes; each number counts 8 bytes.

    Explicit contents of a pickle need at most 8 times its size. A few bytes can also repeat a list many times in
    another list, and this list many times in a third one. The budget prevents this.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget

    def spend(self, size: int) -> None:
        self.budget -= size
        if self.budget < 0:
            raise ValueError("the pickle repeats what it holds until it takes too much memory")

    def built(self, note: object) -> object:
        """Build the array of a note; numbers and lists of numbers stay unchanged."""
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
            return array.reshape(shape)  # objects are stored by rows, also if `fortran` is true
        if kind.code not in _NUMBER_TYPES or kind.order not in ("<", ">", "|", "=") or kind.more != _PLAIN:
            raise ValueError(f"an array holds {kind.order}{kind.code}, which is not a plain number")
        array = np.frombuffer(content, kind.order + kind.code)
        self.spend(8 * array.size)
        return array.reshape(shape, order="F" if fortran else "C").copy()
