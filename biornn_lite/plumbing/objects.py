"""The name of an object of the user, and a digest of its code and of the values in it.

A study keeps both. Results of one object are then never taken for those of another object with the same name.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType

import numpy as np
import torch

from ..errors import InputError

_TOLD_BY_NAME = {"biornn_lite", "builtins", "functools", "numpy", "scipy", "torch", "typing", "abc"}
"""Packages whose functions and classes are told by their names: their code is not the user's."""


def name_of(thing: object) -> str:
    """Name a function, class or object of the user, such as ``mine.identity`` or ``partial(mine.scaled)``."""
    if isinstance(thing, partial):
        return f"partial({name_of(thing.func)})"
    if isinstance(thing, MethodType):
        return f"{name_of(thing.__self__)}.{thing.__name__}"
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{named.__module__}.{named.__qualname__}"


def digest_of(thing: object) -> str:
    """Digest what an object does: the source of its code, and the values that the code contains or uses.

    For a function, these values are its defaults and its closure. For a partial, they are its arguments. For a
    class, they are its methods and attributes and those of its base classes. For another object, they are its
    attributes and its class. Global names in the code are not followed.

    Raises
    ------
    InputError
        If the values of an object cannot be read, so that two of its kind could not be told apart.
    """
    digest = hashlib.sha256()
    for part in _parts(thing, ()):
        digest.update(part.encode(errors="replace") + b"\0")
    return digest.hexdigest()[:16]


def _parts(thing: object, above: tuple[int, ...]) -> Iterator[str]:
    """Yield texts that describe a thing; `above` holds the identities of what contains it."""
    if id(thing) in above:  # such as a class that its methods name by super()
        yield f"again {above[::-1].index(id(thing))}"
        return
    above = (*above, id(thing))
    yield type(thing).__name__
    if thing is None or thing is ... or isinstance(thing, (bool, int, float, complex, str, bytes, PurePath)):
        yield repr(thing)
    elif isinstance(thing, np.ndarray):
        if thing.dtype == object:
            yield from _parts(thing.tolist(), above)
        yield f"{thing.dtype} {thing.shape} {hashlib.sha256(np.ascontiguousarray(thing).tobytes()).hexdigest()}"
    elif isinstance(thing, np.generic):
        yield repr(thing.item())
    elif isinstance(thing, torch.Tensor):
        yield from _parts(thing.detach().cpu().numpy(), above)
    elif isinstance(thing, torch.nn.Module):
        yield from _parts(type(thing), above)
        yield from _parts(dict(thing.state_dict()), above)
    elif isinstance(thing, (list, tuple)):
        yield str(len(thing))
        for item in thing:
            yield from _parts(item, above)
    elif isinstance(thing, (set, frozenset)):
        yield from sorted(digest_of(item) for item in thing)
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from _parts(key, above)
            yield from _parts(value, above)
    elif hasattr(thing, "to_csv") and hasattr(thing, "index"):  # a table of pandas
        yield thing.to_csv()
    elif isinstance(thing, partial):
        for item in (thing.func, thing.args, thing.keywords):
            yield from _parts(item, above)
    elif isinstance(thing, MethodType):
        yield from _parts(thing.__func__, above)
        yield from _parts(thing.__self__, above)
    elif isinstance(thing, (BuiltinFunctionType, np.ufunc)) or _is_told_by_name(thing):
        yield name_of(thing)
    elif isinstance(thing, FunctionType):
        yield _source(thing)
        closed_over = [cell.cell_contents for cell in thing.__closure__ or ()]
        for item in (thing.__defaults__, thing.__kwdefaults__, closed_over):
            yield from _parts(item, above)
    elif isinstance(thing, type):
        yield from _class_parts(thing, above)
    elif is_dataclass(thing):
        yield from _parts(type(thing), above)
        for field in fields(thing):
            yield field.name
            yield from _parts(getattr(thing, field.name), above)
    elif hasattr(thing, "__dict__") and not hasattr(type(thing), "__slots__"):
        yield from _parts(type(thing), above)
        yield from _parts(vars(thing), above)
    else:
        raise InputError(
            f"the values in a {name_of(thing)} cannot be read, so a study cannot tell it from another; use numbers, "
            "texts, arrays or a dataclass of these"
        )


def _is_told_by_name(thing: object) -> bool:
    root = (getattr(thing, "__module__", None) or "").split(".")[0]
    return isinstance(thing, (FunctionType, type)) and root in _TOLD_BY_NAME


def _class_parts(thing: type, above: tuple[int, ...]) -> Iterator[str]:
    """Yield texts that describe a class of the user: what it and its bases define.

    In a notebook, the source of a class cannot be read, but that of its methods can.
    """
    for kind in thing.__mro__:
        yield kind.__qualname__
        if _is_told_by_name(kind):
            continue
        for name, value in vars(kind).items():
            if isinstance(value, (classmethod, staticmethod)):
                value = value.__func__
            elif isinstance(value, property):
                value = value.fget
            made = is_dataclass(kind) and name.startswith("__") and getattr(value, "__code__", None) is not None
            made = made and value.__code__.co_filename == "<string>"  # by the decorator
            if made or (name.startswith("__") and not isinstance(value, FunctionType)):
                continue
            if name.startswith("_abc_") or type(value).__name__ in ("member_descriptor", "getset_descriptor"):
                continue
            if name.startswith("__dataclass"):
                continue
            yield name
            yield from _parts(value, above)


def _source(thing: FunctionType) -> str:
    """Return the source of a function, or its compiled code where there is no source."""
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        return _compiled(thing.__code__)


def _compiled(code: CodeType) -> str:
    constants = [_compiled(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {constants}"
