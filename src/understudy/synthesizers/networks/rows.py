"""What networks that see and make whole rows share: from outputs to rows, and how far rows are from real ones."""

from __future__ import annotations

import torch

from understudy.sampling.variables import PRESENT
from understudy.synthesizers.spans import REACH, Layout
from understudy.synthesizers.training import Weights

_TEMPERATURE = 0.2
_LEAST_SPREAD = 0.1
_FARTHEST = 3.0


class Shaping:
    """Turns the outputs of a network into rows as `spans.encode` makes them."""

    def __init__(self, layout: Layout, device: torch.device) -> None:
        self.layout = layout
        self.offsets, self.start = len(layout.offsets), layout.start
        gates = torch.full((layout.width,), layout.width, dtype=torch.long)
        for index, span in enumerate(layout.spans):
            if span.gate is None:
                continue
            gate = layout.hot[span.gate].start + PRESENT
            for places in (layout.hot, layout.digits):
                if index in places:
                    gates[places[index]] = gate
            if index in layout.offsets:
                gates[layout.offsets[index]] = gate
        self.is_gated = bool((gates < layout.width).any())
        self.gates = gates.to(device)

    def rows(self, outputs: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """Return soft rows: codes are nearly one-hot draws (Gumbel softmax), what is absent nearly 0."""
        places = slice(self.offsets, self.start)
        parts = [torch.tanh(outputs[:, : self.offsets])]
        if self.start > self.offsets:
            chance = torch.empty_like(outputs[:, places]).uniform_(1e-6, 1 - 1e-6, generator=noise)
            parts.append(torch.tanh((outputs[:, places] + torch.logit(chance) / 2) / _TEMPERATURE))
        waits = torch.empty_like(outputs[:, self.start :]).exponential_(generator=noise)
        hot = (outputs[:, self.start :] - waits.log_()) / _TEMPERATURE
        begin = 0
        for count, size in self.layout.groups:
            part = hot[:, begin : begin + count * size]
            parts.append(part.view(-1, count, size).softmax(dim=2).flatten(1))
            begin += count * size
        made = torch.cat(parts, dim=1)
        if not self.is_gated:
            return made
        everywhere = torch.cat([made, torch.ones_like(made[:, :1])], dim=1)
        return made * everywhere.index_select(1, self.gates)

    def hard(self, rows: torch.Tensor) -> torch.Tensor:
        """Return soft rows with one code or mode each."""
        parts, begin = [rows[:, : self.offsets], rows[:, self.offsets : self.start].sign()], self.start
        for count, size in self.layout.groups:
            part = rows[:, begin : begin + count * size].view(-1, count, size)
            top = torch.zeros_like(part).scatter_(2, part.argmax(dim=2, keepdim=True), 1.0)
            parts.append((top * (part.sum(dim=2, keepdim=True) > 1 / 2)).flatten(1))
            begin += count * size
        return torch.cat(parts, dim=1)


class Moments:
    """First and second moments of rows: each column, and each pair of columns; the rows aside are the measure."""

    def __init__(self, layout: Layout, real: torch.Tensor) -> None:
        self.layout = layout
        seen = self._features(real)
        self.middle = seen.mean(dim=0)
        self.spread = seen.std(dim=0, correction=0).clamp(min=_LEAST_SPREAD)
        self.wanted = self._moments(real)

    def distances(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the squared distance of each moment from that of the real rows, shape (moments,)."""
        return (self._moments(rows) - self.wanted) ** 2

    def _features(self, rows: torch.Tensor) -> torch.Tensor:
        """Return numbers as multiples of their column's deviation, digits, and one number a level."""
        parts = []
        for index, span in enumerate(self.layout.spans):
            if span.mixture is None:
                place = self.layout.digits.get(index) or self.layout.hot[index]
                parts.append(rows[:, place])
                continue
            mode, mixture = rows[:, self.layout.hot[index]], span.mixture
            centres, spreads = (
                torch.from_numpy(part).to(rows) for part in (mixture.centres, mixture.spreads)
            )
            middle = float((mixture.shares * mixture.centres).sum())
            width = float(
                (mixture.shares * (mixture.spreads**2 + (mixture.centres - middle) ** 2)).sum() ** 0.5
            )
            offset = rows[:, self.layout.offsets[index], None]
            parts.append((mode * (centres - middle + REACH * spreads * offset)).sum(1, keepdim=True) / width)
        return torch.cat(parts, dim=1)

    def _moments(self, rows: torch.Tensor) -> torch.Tensor:
        far = ((self._features(rows) - self.middle) / self.spread).clamp(-_FARTHEST, _FARTHEST)
        both = far.T @ far / len(far)
        upper = torch.triu_indices(*both.shape, offset=1, device=both.device)
        return torch.cat([far.mean(dim=0), both[upper[0], upper[1]]])


def plain(layers: list[tuple[torch.nn.Linear, torch.nn.BatchNorm1d | None]]) -> Weights:
    """Return layers as `latent.Decoder` reads them, normalisation at its running means folded in."""
    found: Weights = {}
    for number, (layer, norm) in enumerate(layers):
        weight, bias = layer.weight.detach(), layer.bias.detach()
        if norm is not None:
            assert norm.running_mean is not None
            assert norm.running_var is not None
            factor = norm.weight.detach() * torch.rsqrt(norm.running_var + norm.eps)
            weight, bias = weight * factor[:, None], (bias - norm.running_mean) * factor + norm.bias.detach()
        name = "out" if number == len(layers) - 1 else str(number)
        found |= {f"{name}.weight": weight.cpu().numpy(), f"{name}.bias": bias.cpu().numpy()}
    return found
