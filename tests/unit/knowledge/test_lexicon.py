"""Words: abbreviations, lay words, spelling variants, and help for what is not known."""

import pytest

from understudy.core.errors import UnknownNameError
from understudy.knowledge.conditions import conditions
from understudy.knowledge.lexicon import Words, lookup, meaning, suggest
from understudy.knowledge.loading import load
from understudy.knowledge.observations import observations


@pytest.mark.parametrize(
    ("word", "kind", "name"),
    [
        ("T2DM", "condition", "type_2_diabetes"),
        ("type 2 diabetes", "condition", "type_2_diabetes"),
        ("Type-2 Diabetes", "condition", "type_2_diabetes"),
        ("HTN", "condition", "hypertension"),
        ("CAD", "condition", "coronary_heart_disease"),
        ("heart attack", "condition", "myocardial_infarction"),
        ("anemia", "condition", "anaemia"),
        ("anaemia", "condition", "anaemia"),
        ("A1c", "observation", "hba1c"),
        ("a1C", "observation", "hba1c"),
        ("SBP", "observation", "systolic_bp"),
        ("hemoglobin", "observation", "hemoglobin"),
        ("Haemoglobin", "observation", "hemoglobin"),
        ("blood pressure tablets", "observation", "antihypertensive"),
        ("  bad   cholesterol ", "observation", "ldl"),
        ("leucocytes", "observation", "wbc"),
        ("tumor stage", "observation", "tumour_stage"),
        ("estrogen receptor", "observation", "estrogen_receptor"),
    ],
)
def test_words_of_clinicians_and_patients_are_understood(word, kind, name):
    assert meaning(word, kind) == name


def test_a_word_with_two_meanings_gives_both():
    assert {(found.kind, found.id) for found in lookup("sugar")} == {
        ("observation", "random_glucose"),
        ("condition", "diabetes"),
    }


def test_every_id_and_name_means_itself():
    for kind, entries in (("observation", observations()), ("condition", conditions())):
        for name, entry in entries.items():
            assert name in {found.id for found in lookup(name) if found.kind == kind}
            assert name in {found.id for found in lookup(entry.name) if found.kind == kind}


def test_one_word_never_means_two_observations_or_two_conditions():
    words = {word for e in observations().values() for word in (e.name, *e.synonyms)}
    words |= {word for e in conditions().values() for word in (e.name, *e.synonyms)}
    words |= {word for e in load("lexicon.yaml", Words).values() for word in e.words}
    for word in words:
        kinds = [found.kind for found in lookup(word)]
        assert len(set(kinds)) == len(kinds), word


def test_further_words_belong_to_known_observations_and_conditions():
    for entry in load("lexicon.yaml", Words).values():
        assert entry.means in (observations() if entry.kind == "observation" else conditions()), entry.id


def test_an_unknown_word_means_nothing_and_the_nearest_are_suggested():
    assert lookup("hemoglobine") == ()
    assert suggest("hemoglobine")[0] == "hemoglobin"
    assert suggest("xqzzy") == ()
    with pytest.raises(UnknownNameError, match="hypertension"):
        meaning("hypertention", "condition")
