"""Every piece of knowledge says where it comes from, and what of the source was read."""

import pytest

from understudy.core.errors import KnowledgeError, UnknownNameError
from understudy.knowledge.derivations import EQUATIONS
from understudy.knowledge.entries import CHAPTERS, Chapter, Found, chapter
from understudy.knowledge.facts import facts
from understudy.knowledge.levels import condition_groups
from understudy.knowledge.lexicon import Words
from understudy.knowledge.loading import load, read_table
from understudy.knowledge.observations import Observation, observations
from understudy.knowledge.sources import Source, source, sources
from understudy.knowledge.statistics import statistics


def test_every_source_says_what_was_read_and_where_it_is_found():
    for entry in sources().values():
        assert len(entry.what_was_read) > 8, entry.id
        assert entry.identifier, entry.id
        assert entry.title in entry.cite()


def test_no_entry_is_waiting_for_its_source():
    assert "pending" not in sources()


def test_every_citation_of_observations_equations_and_statistics_resolves():
    cited = {
        (entry.id, name)
        for entries in (EQUATIONS, statistics())
        for entry in entries.values()
        for name in entry.sources
    }
    cited |= {(entry.id, name) for entry in observations().values() for name in entry.cited()}
    assert sorted(pair for pair in cited if pair[1] not in sources()) == []


def test_no_source_is_listed_that_nothing_cites():
    cited = {source.id for chapter_ in CHAPTERS if chapter_ != "sources" for source in cited_in(chapter_)}
    cited |= {name for words in load("lexicon.yaml", Words).values() for name in words.sources}
    cited |= {name for group in condition_groups().values() for name in group.sources}
    cited |= {name for fact in facts().values() for name in fact.sources}
    assert sorted(set(sources()) - cited) == []


def cited_in(name: Chapter) -> list[Source]:
    return [source for key, entry in chapter(name).items() for source in Found(name, key, entry).sources()]


def test_an_unknown_source_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'adag_2008'"):
        source("adag_2009")


def test_a_missing_knowledge_file_is_our_fault_and_says_so():
    with pytest.raises(KnowledgeError, match="no knowledge file or folder 'nowhere'"):
        load("nowhere", Observation)


def test_a_file_of_another_shape_is_refused_with_file_and_entry():
    with pytest.raises(KnowledgeError, match=r"entry 1 .*group"):
        load("units.yaml", Observation)


def test_a_table_without_its_columns_in_every_row_cannot_pass():
    rows = read_table("prevent.csv")
    assert {len(row) for row in rows} == {13}
    assert len(rows) > 200
