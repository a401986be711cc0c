"""The order of the released connectomes: which neuron each row and column belongs to.

In the paper's data release, row and column r of ``connectome_NAME.csv`` do not belong to neuron r, as those of all
other files do, but to the r-th of the neurons in the order in which Python went through a *set* of their root ids.
``docs/released_order.md`` gives the evidence. Notebook 01 works through this module.
"""

from __future__ import annotations

import hashlib
import io
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from .plumbing.files import data_folder

if TYPE_CHECKING:  # imported where it is needed, so that reading a field starts at once
    import pandas as pd

_SMALLEST_TABLE, _PROBES, _SHIFT = 8, 9, 5
_PRIME = 2**61 - 1


def set_order(ids: np.ndarray) -> np.ndarray:
    """Order in which a Python set of these ids goes through them.

    A set is a hash table. An id goes to the slot that its last bits name, or to one of the nine after it, or to one
    that more of its bits name, whichever is free first; when three slots in five are taken, a table four times as
    large as what it holds is filled anew. To go through the set is to go through the slots. This does the same as
    64-bit CPython 3.11 in any interpreter, since the release depends on it.

    Parameters
    ----------
    ids : ndarray of int64, shape (N,)
        Each once and not negative, in the order in which they were put into the set.

    Returns
    -------
    ndarray of int, shape (N,)
        ``order[r]`` is the place in `ids` of the id that comes r-th.
    """
    slots: list[tuple[int, int] | None] = [None] * _SMALLEST_TABLE  # (hash, place in ids)
    for place, number in enumerate(np.asarray(ids).tolist()):
        _put((number % _PRIME, place), slots)
        if 5 * (place + 1) >= 3 * (len(slots) - 1):
            larger: list[tuple[int, int] | None] = [None] * max(_SMALLEST_TABLE, 2 ** (4 * (place + 1)).bit_length())
            for entry in filter(None, slots):
                _put(entry, larger)
            slots = larger
    return np.array([entry[1] for entry in slots if entry is not None], dtype=np.int64)


def _put(entry: tuple[int, int], slots: list) -> None:
    """Put an entry of a hash table into the first free of its slots."""
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
    """List what tells the released fields' files, and the neurons of their connectomes' rows.

    Returns
    -------
    DataFrame
        Index ``root_ids_sha256``, of the released file of root ids; columns ``field``, ``connectome_sha256``, of the
        released connectome, and ``rows``, the neuron of each row separated by spaces, missing for ten fields that
        were not at hand. ``data/make_released_order.py`` makes it.
    """
    import pandas as pd

    return pd.read_csv(data_folder() / "released_order.csv", index_col="root_ids_sha256", dtype=str)


def file_of_ids(ids: np.ndarray) -> bytes:
    """Write root ids as the released file holds them."""
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(ids, dtype="<i8"), allow_pickle=False)
    return buffer.getvalue()


def file_of_connectome(connectome: np.ndarray) -> bytes:
    """Write synapse counts, shape (N, N), as the released file holds them."""
    import pandas as pd

    return pd.DataFrame(np.asarray(connectome).astype(np.int64)).to_csv(lineterminator="\n").encode()


def released_rows(root_ids: np.ndarray | None, connectome: np.ndarray) -> np.ndarray | None:
    """Tell a released connectome, and say which neurons its rows belong to.

    Both the ids and the counts must be the released ones to the last digit: a connectome that someone has put in
    order already is not put in order twice.

    Parameters
    ----------
    root_ids : ndarray of int64, shape (N,), or None
    connectome : ndarray, shape (N, N)
        Synapse counts as they were read.

    Returns
    -------
    ndarray of int, shape (N,), or None
        ``rows[r]`` is the neuron of row and column r. None if this is no released connectome.
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
