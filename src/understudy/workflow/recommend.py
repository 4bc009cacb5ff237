"""Which synthesizer to use, from a comparison, and why: in words whose numbers are those that were measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from understudy.core.contest import Advice, Difference, Entrant
from understudy.core.results import MetricResult

# What is put to a test between synthesizers, axis by axis.
HEADLINES = (
    "marginals",
    "pairs",
    "detection",
    "coverage",
    "prediction",
    "membership",
    "fairness",
    "plausibility",
    "clinical",
)
FIDELITY, UTILITY, ATTACK = ("detection", "pairs"), ("prediction",), "membership"
_DECISIVE = (*FIDELITY, *UTILITY)
_MUCH_FASTER = 3.0


def gap(result: MetricResult | None) -> float | None:
    """Return how far an answer is from what real rows reach, as a share of the way to shuffled columns."""
    if result is None or result.estimate is None or not math.isfinite(result.estimate.value):
        return None
    target = result.best if result.ceiling is None else result.ceiling.value
    floor = result.worst if result.floor is None else result.floor.value
    way = floor - target
    if (way > 0) != (result.worst > result.best) or abs(way) < 1e-3:  # anchors that tell nothing
        way = result.worst - result.best
    return max((result.estimate.value - target) / way, 0.0) if math.isfinite(way) and way else None


def distance(entrant: Entrant) -> float:
    """Return how far an entrant is from real rows: the mean of its gaps of fidelity and of utility, 0 at best."""
    sides = [
        fmean(known)
        for metrics in (FIDELITY, UTILITY)
        if (known := [g for m in metrics if (g := gap(entrant.result(m))) is not None])
    ]
    return fmean(sides) if sides else math.inf


def is_refused(entrant: Entrant) -> bool:
    """Say whether the policy finds something against its rows with at least half of the seeds."""
    return 2 * entrant.refusals >= max(len(entrant.trials), 1)


def leader_of(entrants: Sequence[Entrant]) -> Entrant:
    """Return the entrant nearest to real rows among those whose rows the policy does not refuse, if there are any."""
    return min(entrants, key=lambda e: (is_refused(e), distance(e)))


def recommend(leader: Entrant, entrants: Sequence[Entrant], found: Sequence[Difference]) -> Advice:
    """Return which synthesizer to use and why.

    Args:
        leader: see `leader_of`.
        entrants: all that finished.
        found: differences from the leader.
    """
    others = [e for e in entrants if e is not leader]
    by_entrant = {e.name: {d.metric: d for d in found if d.entrant == e.name} for e in others}
    level = tuple(
        e.name for e in others if not is_refused(e) and by_entrant[e.name] and _is_level(by_entrant[e.name])
    )
    reasons = [_of_leader(leader), *(_of_other(e, leader, by_entrant[e.name]) for e in others)]
    if is_refused(leader):
        return Advice(
            name="",
            summary="None of these can be recommended: the release policy finds something against the rows of each",
            reasons=tuple(reasons),
        )
    beside = f"; comparable with it within noise: {', '.join(level)}" if level else ""
    return Advice(
        name=leader.name,
        summary=f"Nearest to the real rows, of those whose rows may go out, is {leader.name}{beside}",
        reasons=tuple(reasons),
        level=level,
    )


def _is_level(differences: dict[str, Difference]) -> bool:
    decisive = [differences[m] for m in _DECISIVE if m in differences]
    return bool(decisive) and all(d.standing in ("level", "better") for d in decisive)


def _of_leader(leader: Entrant) -> str:
    said = [
        f"{result.title.lower()} {result.estimate.value:.3f}{_anchor(result)}"
        for metric in (*_DECISIVE, ATTACK)
        if (result := leader.result(metric)) is not None and result.estimate is not None
    ]
    refused = (
        f" The policy finds something against its rows with {leader.refusals} of {len(leader.trials)} seeds."
        if leader.refusals
        else ""
    )
    return f"**{leader.name}**: {'; '.join(said)}.{refused}"


def _anchor(result: MetricResult) -> str:
    return "" if result.ceiling is None else f" (real rows {result.ceiling.value:.3f})"


def _of_other(entrant: Entrant, leader: Entrant, differences: dict[str, Difference]) -> str:
    sides: dict[str, list[str]] = {"worse": [], "better": [], "level": [], "unknown": []}
    for metric in (*_DECISIVE, ATTACK):
        result = leader.result(metric)
        if result is not None and metric in differences:
            difference = differences[metric]
            sides[difference.standing].append(f"{result.title.lower()} {_spread(difference)}")
    words = {
        "worse": "worse beyond chance",
        "better": "better beyond chance",
        "level": "comparable within noise",
        "unknown": "different, with too few seeds to say whether by chance",
    }
    said = [f"{words[side]} in {', '.join(parts)}" for side, parts in sides.items() if parts]
    if entrant.refusals:
        said.append(
            f"the policy finds something against its rows with {entrant.refusals} of {len(entrant.trials)} seeds"
        )
    said += _cost(entrant, leader)
    return f"**{entrant.name}**: {'; '.join(said) or 'nothing could be compared'}."


def _spread(difference: Difference) -> str:
    own = difference.estimate
    if own.low is None or own.high is None:
        return f"({own.value:+.3f})"
    return f"({own.value:+.3f}, {own.low:+.3f} to {own.high:+.3f})"


def _cost(entrant: Entrant, leader: Entrant) -> list[str]:
    own, other = (fmean(t.fit_cpu_seconds for t in e.trials) for e in (entrant, leader))
    if own <= 0 or other <= 0:
        return []
    ratio = other / own
    if 1 / _MUCH_FASTER < ratio < _MUCH_FASTER:
        return []
    return [
        f"learns {ratio:.1f} times faster" if ratio > 1 else f"takes {1 / ratio:.1f} times as long to learn"
    ]
