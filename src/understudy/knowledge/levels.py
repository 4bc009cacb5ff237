"""Words for people: levels of observations (women, smokers, uninsured) and names of several conditions at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pydantic import Field

from understudy.knowledge.loading import Entry, load


class LevelWords(Entry):
    """What people are called who have certain levels of one observation."""

    observation: str = Field(description="Id of the observation.")
    values: tuple[str, ...] = Field(
        min_length=1, description="Any of these levels; 'true' and 'false' for yes and no."
    )
    words: tuple[str, ...] = Field(min_length=1)
    short: str = Field(
        default="", description="What is left of the words in a list: 'former' of 'former smokers'."
    )


class ConditionGroup(Entry):
    """Several conditions that one word stands for."""

    words: tuple[str, ...] = Field(min_length=1)
    conditions: tuple[str, ...] = Field(min_length=1, description="Ids of the conditions.")
    observations: tuple[str, ...] = Field(
        default=(), description="Ids of yes-no observations that count too."
    )
    note: str = ""
    sources: tuple[str, ...] = Field(min_length=1)


@cache
def level_words() -> Mapping[str, LevelWords]:
    """Return the words for levels by id."""
    return load("levels.yaml", LevelWords)


@cache
def condition_groups() -> Mapping[str, ConditionGroup]:
    """Return the groups of conditions by id."""
    return load("groups.yaml", ConditionGroup)
