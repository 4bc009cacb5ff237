"""What a table seems to mean: the proposal of a schema from its content and its names."""

from understudy.sources.profile.proposal import Proposal, propose

__all__ = ["Proposal", "propose"]
