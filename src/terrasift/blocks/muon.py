"""An optimiser that turns a convolution's weights in all directions alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

__all__ = ["Muon", "orthogonal"]

_TIMES = 20 / 3  # the learning rate of the others: 0.02 beside AdamW's 0.003
_MOMENTUM = 0.95
_WEIGHT_DECAY = 0.01  # AdamW's own
_ROUNDS = 5
_POLYNOMIAL = (3.4445, -4.7750, 2.0315)  # of the first, third and fifth power


class Muon(torch.optim.AdamW):
    """AdamW; but the step of a hidden convolution is the running mean of its gradients, made orthogonal.

    As a matrix, channels by what each sees, such a mean has a few large directions, and a step along it learns little
    else. Made orthogonal, all its directions are as long: what is rare is learned beside what is frequent.

    Parameters
    ----------
    hidden
        Weights (channels out, channels in, height, width) that are to learn so.
    others
        Weights that learn by AdamW: scales, offsets, and those of the classifiers.
    lr
        AdamW's; that of the convolutions is 20/3 of it.

    Notes
    -----
    AdamW is not fused here: a fused one is given gradients that are still scaled for 16 bits, and one that overflowed
    would turn a convolution, too.

    References
    ----------
    Jordan, Jin, Boza, You, Cesista, Newhouse and Bernstein, "Muon: An optimizer for hidden layers in neural networks",
    2024: the polynomial, its rounds, the momentum and the scale of a step. `torch.optim.Muon` takes matrices alone, and
    rounds to 16 bits.
    """

    def __init__(self, hidden: Iterable[nn.Parameter], others: Iterable[nn.Parameter], lr: float) -> None:
        groups = [
            {"params": list(others), "orthogonal": False},
            {"params": list(hidden), "orthogonal": True},
        ]
        super().__init__(groups, lr=lr, weight_decay=_WEIGHT_DECAY)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step; weights without a gradient stay as they are."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"] if group["orthogonal"] else ():
                if weight.grad is not None:
                    self._turn(weight, group["lr"])
                    weight.grad = None  # AdamW passes over it
        super().step()
        return loss

    def _turn(self, weight: nn.Parameter, lr: float) -> None:
        assert weight.grad is not None
        gradient = weight.grad.flatten(1).float()
        state = self.state[weight]
        if not state:
            state["step"] = torch.zeros(())  # AdamW looks for it when a state is loaded
            state["mean"] = torch.zeros_like(gradient)
        mean = state["mean"].lerp_(gradient, 1 - _MOMENTUM)
        turned = orthogonal(gradient.lerp(mean, _MOMENTUM))  # Nesterov's look ahead
        scale = max(1.0, turned.shape[0] / turned.shape[1]) ** 0.5
        weight.mul_(1 - lr * _WEIGHT_DECAY)
        weight.add_(turned.reshape(weight.shape), alpha=-lr * _TIMES * scale)


def orthogonal(matrix: Tensor) -> Tensor:
    """(m, n) to a matrix of its singular vectors whose singular values, but for the smallest, lie near 1.

    By a Newton-Schulz iteration, whose polynomial hurries small values and leaves all between 0.7 and 1.2. Each of its
    rounds multiplies by a polynomial of the same square, so all of them take place among the smaller side's numbers.
    """
    wide = matrix.shape[0] <= matrix.shape[1]
    rows: Tensor = matrix if wide else matrix.T
    rows = rows / (rows.norm() + 1e-7)
    square = rows @ rows.T
    turn = torch.eye(len(rows), device=rows.device)
    first, third, fifth = _POLYNOMIAL
    for _ in range(_ROUNDS):
        turned = turn @ square @ turn
        turn = first * turn + (third * turned + fifth * turned @ turned) @ turn
    turned = turn @ rows
    return turned if wide else turned.T
