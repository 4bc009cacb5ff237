"""Cells that name people, told by what they hold: titles, full names, given names."""

from __future__ import annotations

from understudy.sources.profile.cells import Cells

# Frequent given names: the US Social Security Administration's "Top names over the last 100 years", and a few more.
_GIVEN = (
    "aaron|abigail|adam|ahmed|alan|albert|alexander|alexis|alice|amanda|amber|amelia|amy|andrea|andrew|"
    "angela|ann|anna|anthony|arthur|ashley|ava|barbara|benjamin|betty|beverly|billy|bobby|bradley|brandon|"
    "brenda|brian|brittany|bruce|bryan|carl|carol|carolyn|catherine|charles|charlotte|cheryl|christina|"
    "christine|christopher|cynthia|daniel|danielle|david|deborah|debra|denise|dennis|diana|diane|donald|"
    "donna|doris|dorothy|douglas|dylan|edward|elijah|elizabeth|emily|emma|eric|ethan|eugene|evelyn|fatima|"
    "frances|frank|gabriel|gary|george|gerald|gregory|hannah|harold|heather|helen|henry|isabella|jack|"
    "jacob|jacqueline|james|janet|janice|jason|jean|jeffrey|jennifer|jeremy|jerry|jesse|jessica|joan|joe|"
    "john|jonathan|jose|joseph|joshua|joyce|juan|judith|judy|julia|julie|justin|karen|katherine|kathleen|"
    "kathryn|kayla|keith|kelly|kenneth|kevin|kimberly|kyle|larry|laura|lauren|lawrence|liam|linda|lisa|"
    "logan|lori|lucas|madison|margaret|maria|marie|marilyn|mark|martha|mary|mason|matthew|megan|melissa|"
    "mia|michael|michelle|mohammed|muhammad|nancy|natalie|nathan|nicholas|nicole|noah|oliver|olivia|"
    "pamela|patricia|patrick|paul|peter|philip|rachel|ralph|randy|raymond|rebecca|richard|robert|roger|"
    "ronald|roy|russell|ruth|ryan|samantha|samuel|sandra|sara|sarah|scott|sean|sharon|shirley|sophia|"
    "stephanie|stephen|steven|susan|teresa|terry|theresa|thomas|timothy|tyler|victoria|vincent|walter|"
    "wayne|william|willie|zachary"
)
_TITLE = r"(?:mr|mrs|ms|miss|mx|dr|prof)\.?"
_WORD = r"[^\W\d_][\w'’.-]*"
_NAMED = rf"(?:{_GIVEN})\d*"
_TITLED = rf"(?i){_TITLE} {_WORD}(?: {_WORD}){{0,3}}"
_FULL = (
    rf"(?:(?i:{_TITLE}) )?(?:[A-ZÀ-Þ][a-zà-ÿ'’-]+\d*(?: [A-ZÀ-Þ]\.?)?,? [A-ZÀ-Þ][A-Za-zÀ-ÿ'’-]+\d*"
    r"|[A-ZÀ-Þ'’-]{2,}, ?[A-ZÀ-Þ'’-]{2,}(?: [A-ZÀ-Þ]\.?)?|[A-ZÀ-Þ'’-]{2,} [A-ZÀ-Þ'’-]{2,})"
)
_WITH_GIVEN = rf"(?i)(?:{_TITLE} )?(?:{_NAMED} (?:{_WORD} ?){{1,3}}|{_WORD}(?: {_WORD})?, ?{_NAMED}(?: .*)?)"
_MOST = 0.9
_MANY = 0.5
_FEWEST_NAMES = 6


def full_names(cells: Cells) -> float:
    """Return the share of cells that have the form of a person's full name, 0 to 1."""
    return cells.matching(_FULL)


def given_names(cells: Cells) -> float:
    """Return the share of cells that are a frequent given name alone, 0 to 1."""
    return cells.matching(rf"(?i){_NAMED}")


def why_people(cells: Cells) -> str | None:
    """Return why the cells name people whatever the column is called, or None.

    The form of a full name alone is not enough: wards and diagnoses have it as well.
    """
    if cells.matching(_TITLED) >= _MOST:
        return "a title before a name"
    if cells.matching(_FULL) >= _MOST and cells.matching(_WITH_GIVEN) >= _MANY:
        return "full names with frequent given names"
    if cells.distinct >= _FEWEST_NAMES and given_names(cells) >= _MOST:
        return "frequent given names"
    return None
