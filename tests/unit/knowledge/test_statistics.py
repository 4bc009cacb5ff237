"""Published figures: complete, about known things, and the anchors that the product promises to report."""

from understudy.knowledge.conditions import conditions
from understudy.knowledge.observations import observations
from understudy.knowledge.statistics import statistics, statistics_about


def test_every_figure_is_about_a_known_observation_or_condition():
    known = {*observations(), *conditions()}
    assert sorted({entry.about for entry in statistics().values()} - known) == []


def test_the_anchors_of_diabetes_and_obesity_are_there():
    figures = statistics()
    assert [
        figures[f"db516_diabetes_{kind}_all"].value for kind in ("total", "diagnosed", "undiagnosed")
    ] == [
        15.8,
        11.3,
        4.5,
    ]
    # CDC states 41.9 % for adults in 2017-March 2020; ours is computed from the same survey.
    assert abs(figures["us_adults_obesity_all"].value - 41.9) < 0.1


def test_diagnosed_and_undiagnosed_make_the_total():
    figures = statistics()
    for group in ("all", "male", "female", "white", "black", "asian", "hispanic"):
        diagnosed, undiagnosed, total = (
            figures[f"ndsr_diabetes_{kind}_{group}"].value for kind in ("diagnosed", "undiagnosed", "total")
        )
        assert abs(diagnosed + undiagnosed - total) < 0.25, group


def test_no_computed_figure_rests_on_few_people():
    people = [entry.people for entry in statistics().values() if entry.people]
    assert len(people) == 120
    assert min(people) > 1000


def test_figures_are_found_by_what_they_are_about():
    assert {entry.sex for entry in statistics_about("hba1c")} == {None, "female", "male"}
    assert statistics_about("nothing") == ()
