"""Products of stacks of matrices by the quicker of two libraries: nearly all the time of training goes here.

PyTorch's own product on a processor is that of the BLAS it was built with, as a rule MKL, which does not use the
AVX-512 instructions of processors by other makers. oneDNN, which PyTorch also brings, does. Which of the two
computes depends on the processor and the shapes alone, so a run comes out the same whenever it is repeated.
"""

from __future__ import annotations

from functools import cache

import torch

ONEDNN_FROM = 100
"""Neurons from which oneDNN is the quicker; below, its fixed cost per product outweighs its rate."""


@cache
def _has_onednn() -> bool:
    """Whether this processor profits from oneDNN, and this PyTorch offers its product.

    It is the operator that PyTorch's own compiler calls, and not part of the documented interface: without it,
    products are those of the BLAS.
    """
    return torch.backends.cpu.get_cpu_capability() == "AVX512" and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def uses_onednn(left: torch.Tensor, right: torch.Tensor) -> bool:
    """Say whether :func:`product` takes two stacks of matrices to oneDNN: large float32 ones on such a processor."""
    return (
        left.device.type == "cpu"
        and left.dtype == torch.float32
        and min(left.shape[-2], right.shape[-1]) >= ONEDNN_FROM
        and _has_onednn()
    )


def _onednn(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Product of two matrices: the operator wants the right one transposed, and neither bias nor activation."""
    return torch.ops.mkldnn._linear_pointwise(left, right.mT, None, "none", [], "")


def product(left: torch.Tensor, right: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
    """Multiply two stacks of matrices one by one, without gradient.

    Parameters
    ----------
    left : Tensor, shape (runs, m, k)
    right : Tensor, shape (runs, k, n)
    out : Tensor, shape (runs, m, n), optional
        Where to write.

    Returns
    -------
    Tensor, shape (runs, m, n)
    """
    if not uses_onednn(left, right):
        return torch.bmm(left, right) if out is None else torch.bmm(left, right, out=out)
    if out is None:
        out = left.new_empty(len(left), left.shape[-2], right.shape[-1])
    for a, b, c in zip(left, right, out, strict=True):
        c.copy_(_onednn(a, b))
    return out


def add_product(total: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> None:
    """Add the products of two stacks of matrices, as in :func:`product`, to `total`, shape (runs, m, n)."""
    if not uses_onednn(left, right):
        total.baddbmm_(left, right)
        return
    for a, b, c in zip(left, right, total, strict=True):
        c.add_(_onednn(a, b))
