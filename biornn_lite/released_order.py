"""The order of the released connectomes: the neuron of each row and column.

In most files of the paper's data release, entry r belongs to neuron r. In ``connectome_NAME.csv`` it does not: row
and column r belong to the r-th neuron in the order in which Python iterated over a *set* of the neurons' root ids.
``docs/released_order.md`` gives the evidence. Notebook 01 works through this module.
"""

from __future__ import annotations

import hashlib
import io
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from .plumbing.files import data_folder

if TYPE_CHECKING:  # imported only where needed, so that reading a field starts fast
    import pandas as pd

_SMALLEST_TABLE, _PROBES, _SHIFT = 8, 9, 5
_PRIME = 2**61 - 1


def set_order(ids: np.ndarray) -> np.ndarray:
    """Return the iteration order of a Python set of these ids.

    A set is a hash table. The last bits of an id give its first slot. If that slot is taken, the next nine slots are
    tried, and then a slot given by more bits of the id. When three fifths of the slots are taken, all entries move
    to a new table, four times as large as the number of entries. Iteration follows the slots. This function
    reproduces 64-bit CPython 3.11 in any interpreter, because the release depends on it.

    Parameters
    ----------
    ids : ndarray of int64, shape (N,)
        Unique and not negative, in the order of insertion into the set.

    Returns
    -------
    ndarray of int, shape (N,)
        ``order[r]`` is the index in `ids` of the r-th id of the iteration.
    """
    slots: list[tuple[int, int] | None] = [None] * _SMALLEST_TABLE  # (hash, index in ids)
    for place, number in enumerate(np.asarray(ids).tolist()):
        _put((number % _PRIME, place), slots)
        if 5 * (place + 1) >= 3 * (len(slots) - 1):
            larger: list[tuple[int, int] | None] = [None] * max(_SMALLEST_TABLE, 2 ** (4 * (place + 1)).bit_length())
            for entry in filter(None, slots):
                _put(entry, larger)
            slots = larger
    return np.array([entry[1] for entry in slots if entry is not None], dtype=np.int64)


def _put(entry: tuple[int, int], slots: list) -> None:
    """Put an entry of a hash table into its first free slot."""
    mask, perturbed = len(slots) - 1, entry[0]
    first = entry[0] & mask
    while True:
        last = first + _PROBES if first + _PROBES <= mask else first
        for slot in range(first, last + 1):
            if slots[slot] is None:
                slots[slot] = entry
                return
        perturbed >>= _SHIFT
        first = (5 * first + 1 + perturbed) & mask


@cache
def released_orders() -> pd.DataFrame:
    """List checksums that identify the released files, and the neurons of the connectomes' rows.

    Returns
    -------
    DataFrame
        Index ``root_ids_sha256``, for the released file of root ids. Columns ``field``, ``connectome_sha256`` for
        the released connectome, and ``rows``, the neuron of each row, separated by spaces; missing for ten fields
        that were not available. ``data/make_released_order.py`` makes the table.
    """
    import pandas as pd

    return pd.read_csv(data_folder() / "released_order.csv", index_col="root_ids_sha256", dtype=str)


def file_of_ids(ids: np.ndarray) -> bytes:
    """Return root ids in the bytes of the released file."""
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(ids, dtype="<i8"), allow_pickle=False)
    return buffer.getvalue()


def file_of_connectome(connectome: np.ndarray) -> bytes:
    """Return synapse counts, shape (N, N), in the bytes of the released file."""
    import pandas as pd

    return pd.DataFrame(np.asarray(connectome).astype(np.int64)).to_csv(lineterminator="\n").encode()


def released_rows(root_ids: np.ndarray | None, connectome: np.ndarray) -> np.ndarray | None:
    """Identify a released connectome and return the neurons of its rows.

    Both ids and counts must be identical to the released ones. A connectome that is already reordered is therefore
    not reordered again.

    Parameters
    ----------
    root_ids : ndarray of int64, shape (N,), or None
    connectome : ndarray, shape (N, N)
        Synapse counts as read from the file.

    Returns
    -------
    ndarray of int, shape (N,), or None
        ``rows[r]`` is the neuron of row and column r. None if this is not a released connectome.
    """
    if root_ids is None or np.asarray(root_ids).dtype.kind not in "iu":
        return None
    digest = hashlib.sha256(file_of_ids(root_ids)).hexdigest()
    known = released_orders()
    if digest not in known.index:
        return None
    entry, counts = known.loc[digest], np.asarray(connectome)
    if counts.max() > np.iinfo(np.int32).max or (counts != np.floor(counts)).any():
        return None
    if hashlib.sha256(file_of_connectome(counts)).hexdigest() != entry["connectome_sha256"]:
        return None
    return np.array(entry["rows"].split(), dtype=np.int64) if isinstance(entry["rows"], str) else set_order(root_ids)
