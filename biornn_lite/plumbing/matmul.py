"""Products of stacks of matrices by the quicker of two libraries: nearly all the time of training goes here.

PyTorch's own product on a processor is that of the BLAS it was built with, as a rule MKL. oneDNN, which PyTorch also
brings, is nearly twice as quick for large matrices on an AMD processor with AVX-512 (``benchmarks/README.md``). Which
of the two computes depends on the processor and the shapes alone, so a run comes out the same when it is repeated.
"""

from __future__ import annotations

from functools import cache

import torch

ONEDNN_FROM = 100
"""Rows and columns from which oneDNN is the quicker; below, its fixed cost per product outweighs its rate."""


@cache
def _has_onednn() -> bool:
    """Whether this processor has AVX-512, and this PyTorch offers oneDNN's product.

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
    """Product of two matrices: the operator wants the right one transposed; it could add a bias, here none."""
    return torch.ops.mkldnn._linear_pointwise(left, right.mT, None, "none", [], "")


def product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Multiply two stacks of matrices one by one, without gradient.

    Parameters
    ----------
    left : Tensor, shape (runs, m, k)
    right : Tensor, shape (runs, k, n)

    Returns
    -------
    Tensor, shape (runs, m, n)
    """
    if not uses_onednn(left, right):
        return torch.bmm(left, right)
    products = [_onednn(a, b) for a, b in zip(left, right, strict=True)]
    return torch.stack(products) if len(products) > 1 else products[0].unsqueeze(0)


def rectified_product(left: torch.Tensor, right: torch.Tensor, out: torch.Tensor) -> None:
    """Write the products of two stacks of matrices, as in :func:`product`, with 0 for what is negative, to `out`."""
    if not uses_onednn(left, right):
        torch.bmm(left, right, out=out).relu_()
        return
    for a, b, c in zip(left, right, out, strict=True):
        torch.clamp_min(_onednn(a, b), 0, out=c)  # oneDNN's own relu would make 0 of a NaN


def add_product(total: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> None:
    """Add the products of two stacks of matrices, as in :func:`product`, to `total`, shape (runs, m, n)."""
    if not uses_onednn(left, right):
        total.baddbmm_(left, right)
        return
    for a, b, c in zip(left, right, total, strict=True):
        c.add_(_onednn(a, b))
