"""Identity of a user's own object: its name, and a digest of its source and its values.

A study saves both, so that results of different objects with the same name are not confused.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from dataclasses import fields, is_dataclass
from functools import partial
from types import CodeType, FunctionType, MethodType

import numpy as np


def name_of(thing: object) -> str:
    """Name a user's function, class or object, such as ``mine.identity`` or ``partial(mine.scaled)``."""
    if isinstance(thing, partial):
        return f"partial({name_of(thing.func)})"
    if isinstance(thing, MethodType):
        return f"{name_of(thing.__self__)}.{thing.__name__}"
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{named.__module__}.{named.__qualname__}"


def digest_of(thing: object) -> str:
    """Return a digest of an object: the source of its code, and the values that the code finds in it.

    The values are the defaults and closure of a function, the arguments of a partial, and the attributes of a
    dataclass or another object. Global names in the code are not followed.
    """
    digest = hashlib.sha256()
    for part in _parts(thing, 0):
        digest.update(part.encode(errors="replace") + b"\0")
    return digest.hexdigest()[:16]


def _parts(thing: object, depth: int):
    if depth > 20:
        raise ValueError("nested more than twenty deep")
    deeper = depth + 1
    if thing is None or isinstance(thing, (bool, int, float, complex, str, bytes)):
        yield repr(thing)
    elif isinstance(thing, np.ndarray):
        yield f"{thing.dtype} {thing.shape} {hashlib.sha256(np.ascontiguousarray(thing).tobytes()).hexdigest()}"
    elif isinstance(thing, np.generic):
        yield repr(thing.item())
    elif isinstance(thing, (list, tuple)):
        yield type(thing).__name__
        for item in thing:
            yield from _parts(item, deeper)
    elif isinstance(thing, (set, frozenset)):
        yield json.dumps(sorted(digest_of(item) for item in thing))
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from _parts(key, deeper)
            yield from _parts(value, deeper)
    elif isinstance(thing, partial):
        yield "partial"
        for item in (thing.func, thing.args, thing.keywords):
            yield from _parts(item, deeper)
    elif isinstance(thing, MethodType):
        yield from _parts(thing.__func__, deeper)
        yield from _parts(thing.__self__, deeper)
    elif isinstance(thing, FunctionType):
        yield _source(thing)
        closed_over = [cell.cell_contents for cell in thing.__closure__ or ()]
        for item in (thing.__defaults__, thing.__kwdefaults__, closed_over):
            yield from _parts(item, deeper)
    elif isinstance(thing, type):
        yield _source(thing)
    elif is_dataclass(thing):
        yield _source(type(thing))
        for field in fields(thing):
            yield field.name
            yield from _parts(getattr(thing, field.name), deeper)
    else:
        yield name_of(thing)
        yield _source(type(thing))
        yield from _parts(dict(getattr(thing, "__dict__", {})), deeper)


def _source(thing: object) -> str:
    """Return the source of a function or class, or its compiled code if the source is not available.

    Objects of this library are identified by name, because a study also records the version of the library.
    """
    if (getattr(thing, "__module__", None) or "").split(".")[0] == __name__.split(".")[0]:
        return name_of(thing)
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        code = getattr(thing, "__code__", None)
        return _compiled(code) if isinstance(code, CodeType) else name_of(thing)


def _compiled(code: CodeType) -> str:
    constants = [_compiled(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {constants}"
