"""What a table seems to mean: the proposal of a schema from its content and its names."""

from understudy.sources.profile.proposal import Proposal, linking_column, propose

__all__ = ["Proposal", "linking_column", "propose"]
