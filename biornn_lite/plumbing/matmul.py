"""Products of stacks of matrices with the faster of two libraries. They take nearly all the time of training.

On a CPU, PyTorch uses the BLAS library that it was built with, usually MKL. PyTorch also contains oneDNN, which is
nearly twice as fast for large matrices on an AMD processor with AVX-512 (``benchmarks/README.md``). The choice
depends only on the processor and the shapes, so a repeated run gives the same result.
"""

from __future__ import annotations

from functools import cache

import torch

ONEDNN_FROM = 100
"""Minimum number of rows and columns for oneDNN; for smaller matrices, its fixed cost per product is too high."""


@cache
def _has_onednn() -> bool:
    """Whether this processor has AVX-512 and this PyTorch offers oneDNN's product.

    PyTorch's compiler uses this operator, but it is not part of the documented interface. Without it, the BLAS
    library computes the products.
    """
    return torch.backends.cpu.get_cpu_capability() == "AVX512" and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def uses_onednn(left: torch.Tensor, right: torch.Tensor) -> bool:
    """Say whether :func:`product` uses oneDNN for two stacks: only for large float32 matrices on such a processor."""
    return (
        left.device.type == "cpu"
        and left.dtype == torch.float32
        and min(left.shape[-2], right.shape[-1]) >= ONEDNN_FROM
        and _has_onednn()
    )


def _onednn(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Multiply two matrices. The operator expects the right matrix transposed and an optional bias, not used here."""
    return torch.ops.mkldnn._linear_pointwise(left, right.mT, None, "none", [], "")


def product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Multiply two stacks of matrices pairwise, without gradient.

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
    """Write products as in :func:`product` to `out`, with negative values set to 0."""
    if not uses_onednn(left, right):
        torch.bmm(left, right, out=out).relu_()
        return
    for a, b, c in zip(left, right, out, strict=True):
        torch.clamp_min(_onednn(a, b), 0, out=c)  # oneDNN's relu would turn NaN into 0


def add_product(total: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> None:
    """Add the products of two stacks of matrices, as in :func:`product`, to `total`, shape (runs, m, n)."""
    if not uses_onednn(left, right):
        total.baddbmm_(left, right)
        return
    for a, b, c in zip(left, right, total, strict=True):
        c.add_(_onednn(a, b))
