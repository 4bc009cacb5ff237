"""Direct identifiers: names, phone numbers, addresses, record numbers. They are never learned, but made anew.

The classes follow the identifiers that the HIPAA Safe Harbor rule removes, 45 CFR 164.514(b)(2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.core.schema import Column, Kind, Role
from understudy.sources.profile.cells import Cells, Guess, percent
from understudy.sources.profile.keys import mask
from understudy.sources.profile.people import full_names, given_names, why_people
from understudy.sources.profile.words import is_called, says


@dataclass(frozen=True)
class Identifier:
    """A class of direct identifier: how its column is named, and how its cells look.

    Attributes:
        name: the class, as schemas name it.
        phrases: phrases of column names.
        pattern: what most cells must look like when the name says so.
        alone: what nearly all cells must look like to be taken for it whatever the name; None: never.
        kind: the kind of such a column.
    """

    name: str
    phrases: tuple[str, ...]
    pattern: str = r".+"
    alone: str | None = None
    kind: Kind = Kind.KEY


_EMAIL = r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"
_URL = r"(?:https?://|www\.)\S+"
_IP = r"(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{1,4}"
_SSN = r"\d{3}-\d{2}-\d{4}"
_PHONE = r"\+?[\d(][\d ()./x-]{6,22}"
_PHONE_ALONE = r"(?:\+?1[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?: ?x\d+)?|\+\d{1,3}[ .-]?\d[\d .-]{6,14}"
_STREET = (
    r"(?i)(?:\d+[a-z]?[ ,]+.*\b(?:street|st|avenue|ave|road|rd|drive|dr|lane|ln|boulevard|blvd|way|court|ct|place|pl|"
    r"square|sq|terrace|ter|highway|hwy|route|parkway|pkwy|circle|cir|loop|path|trail|trl|row|crescent|close|mews|alley|"
    r"aly|plaza|walk|grove|gardens|heights|crossing|bypass|manor|apt|suite|unit|p\.?o\.? box)\b.*"
    r"|.*(?:stra(?:ss|ß)e|str\.|weg|gasse|allee|platz)\s*\d+.*|\d+,? (?:rue|avenue|boulevard|chemin|via|calle) .+)"
)
_PERSON = (
    "first", "last", "given", "middle", "maiden", "sur", "fore", "full", "patient", "subject",
    "participant", "nick", "family", "mother", "father", "spouse", "contact", "kin", "guardian",
    "physician", "doctor", "provider", "nurse", "birth", "legal", "preferred", "employee", "person",
    "member",
)  # fmt: skip
_LETTERS = r"[^\d@/]{0,60}\d{0,4}(?:[ '’.,-]+[^\d@/]{1,40}\d{0,4})*"

IDENTIFIERS = (
    Identifier("email", ("e_?mail\\w*",), _EMAIL, _EMAIL, Kind.TEXT),
    Identifier("url", ("url", "website", "web_?page", "link", "homepage"), _URL, _URL, Kind.TEXT),
    Identifier("ip", ("ip", "ip_?address"), _IP, _IP, Kind.TEXT),
    Identifier(
        "ssn",
        (
            "ssn",
            "social_?security\\w*",
            "national_?(?:id|insurance|number)\\w*",
            "nhs_?(?:id|no|number)",
            "nino",
            "aadhaar",
            "curp",
            "cpf",
            "bsn",
            "personnummer",
            "ahv\\w*",
            "tax_?id",
            "itin",
        ),
        r"[\dA-Za-z][\dA-Za-z .-]{6,20}",
        _SSN,
    ),
    Identifier(
        "phone",
        ("(?:cell|mobile|home|work|tele)?_?phone\\w*", "tel", "mobile", "fax", "pager"),
        _PHONE,
        _PHONE_ALONE,
        Kind.TEXT,
    ),
    Identifier(
        "mrn",
        (
            "mrn",
            "med(?:ical)?_?rec(?:ord)?\\w*(?:_?(?:no|num|number|id))?",
            "chart_?(?:no|number)",
            "hospital_?(?:no|number)",
            "health_?card\\w*",
        ),
        r"[\w .-]{3,25}",
        r"(?i)(?:mrn|pid|nhs)[ :#-]?\d{4,}",
    ),
    Identifier("passport", ("passports?", "passport_?(?:no|number|id)"), r"[\w -]{5,20}"),
    Identifier(
        "licence",
        ("drivers?", "drivers?_?licen[cs]e\\w*", "licen[cs]e_?(?:no|number|id)?", "dl_?number"),
        r"[\w -]{4,25}",
    ),
    Identifier(
        "vehicle", ("licen[cs]e_?plate", "plate(?:_?(?:no|number))?", "vin", "vehicle\\w*"), r"[\w -]{3,20}"
    ),
    Identifier(
        "account",
        (
            "iban",
            "account(?:_?(?:no|number|id))?",
            "credit_?card\\w*",
            "card_?(?:no|number)",
            "(?:insurance|policy|beneficiary|health_?plan)_?(?:no|number|id)",
            "member_?(?:no|number)",
        ),
        r"[\w -]{4,40}",
        r"[A-Z]{2}\d{2}[ ]?(?:[A-Z0-9]{4}[ ]?){3,7}[A-Z0-9]{0,4}",
    ),
    Identifier(
        "device",
        (
            "udi",
            "imei",
            "(?:device_?)?serial_?(?:no|number)",
            "device_?(?:id|identifier|serial)",
            "mac_?address",
            "implant_?(?:id|serial)",
        ),
        r".{4,}",
        r"\(01\)\d{14}.*|(?:[0-9A-F]{2}:){5}[0-9A-F]{2}",
    ),
    Identifier(
        "address",
        (
            "(?:home|street|mailing|postal|residential)?_?address(?:_?(?:line)?_?\\d)?",
            "addr\\w*",
            "street(?:_?name)?",
            "residence",
            "anschrift",
            "adresse",
            "direccion",
        ),
        r".*[^\W\d]{2,}.*",
        _STREET,
        Kind.TEXT,
    ),
    Identifier(
        "name",
        (
            f"(?:{'|'.join(_PERSON)})_?names?",
            "surname",
            "forename",
            "lastname",
            "firstname",
            "maiden",
            "vorname",
            "nachname",
            "pr[eé]nom",
            "apellidos?",
            "cognome",
            "name_?(?:first|last|given|family)",
            "(?:emergency_?)?contact_?(?:name|person)",
        ),
        _LETTERS,
        None,
        Kind.TEXT,
    ),
)
_BARE_NAMES = (
    "name", "names", "first", "last", "nom", "nome", "nombre", "patient", "given", "family", "initials",
)  # fmt: skip
_LOOK_ALIKES = (
    "drug", "clinic", "hospital", "department", "test", "lab", "item", "ward", "product", "company",
    "payer", "gene", "study", "site", "type", "file", "level", "history", "flag", "status", "count",
    "number_of", "unit", "procedure", "disease", "condition", "medication", "med", "generic", "brand",
    "protein", "species", "country", "city",
)  # fmt: skip
_IN_PROSE = (
    r"(?:.*\b(?:Mr|Mrs|Ms|Dr|Prof)\.? [A-Z][a-z]+.*|.*[^@\s]+@[^@\s]+\.[a-z]{2,}.*|.*\b\d{3}-\d{2}-\d{4}\b.*"
    r"|.*\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}.*|.*\b(?:MRN|SSN|DOB)\b.*)"
)
_STRONG = 0.9
_NUMBERED = ("ssn", "phone", "mrn", "account", "passport", "licence", "device")


def guess_identifier(cells: Cells) -> Guess | None:
    """Take a column for a direct identifier, by its name where its cells agree, or by its cells alone."""
    if not cells.filled:
        return None
    if cells.is_numeric:
        return _coordinates(cells) or _numbered(cells)
    if not cells.is_text:
        return None
    for identifier in IDENTIFIERS:
        if says(cells.name, *identifier.phrases) and not says(cells.name, *_LOOK_ALIKES):
            share = cells.matching(identifier.pattern)
            if share >= 0.6 and not (_is_level(cells, identifier) and not _names_people(cells, identifier)):
                return _found(cells, identifier, 0.95, f"named like {_article(identifier.name)}")
    for identifier in IDENTIFIERS:
        if identifier.alone is not None and cells.distinct > 1:
            share = cells.matching(identifier.alone)
            if share >= _STRONG:
                return _found(
                    cells,
                    identifier,
                    0.9,
                    f"{percent(share)} of the cells look like {_article(identifier.name)}",
                )
    return _people(cells)


def _is_level(cells: Cells, identifier: Identifier) -> bool:
    # An identifier names one person; a handful of levels over many rows does not, unless it is called a name.
    if identifier.name == "name" and is_called(cells.name, *identifier.phrases):
        return False
    return cells.filled >= 50 and cells.distinct <= (3 if identifier.name == "name" else 10)


def _names_people(cells: Cells, identifier: Identifier) -> bool:
    return identifier.name == "name" and max(full_names(cells), given_names(cells)) > 0.6


def _people(cells: Cells) -> Guess | None:
    name = next(i for i in IDENTIFIERS if i.name == "name")
    if is_called(cells.name, *_BARE_NAMES) and cells.matching(_LETTERS) > 0.8:
        # However few they are and however often they repeat: a person's name is no level.
        if _names_people(cells, name):
            return _found(cells, name, 0.85, "called a name, and holds names of people")
        if cells.distinct > min(20, cells.filled / 2):
            return _found(cells, name, 0.8, "called a name, and holds words that hardly repeat")
    if says(cells.name, *_LOOK_ALIKES):
        return None
    if why := why_people(cells):
        return _found(cells, name, 0.8, f"the cells look like names of people: {why}")
    # Two capitalised words that hardly ever repeat; wards, drugs and diagnoses do repeat.
    if cells.filled >= 10 and cells.uniqueness > 0.8 and full_names(cells) > _STRONG:
        share = percent(full_names(cells))
        return _found(cells, name, 0.7, f"{share} of the cells look like a person's full name")
    return None


def _numbered(cells: Cells) -> Guess | None:
    if not cells.raw.dtype.is_integer():
        return None
    for identifier in IDENTIFIERS:
        if identifier.name not in _NUMBERED or not says(cells.name, *identifier.phrases):
            continue
        is_one = not _is_level(cells, identifier) and not says(cells.name, *_LOOK_ALIKES)
        if is_one and cells.matching(r"\d{4,}") > 0.9:
            return _found(cells, identifier, 0.9, f"named like {_article(identifier.name)}")
    return None


def _coordinates(cells: Cells) -> Guess | None:
    if not says(cells.name, "lat", "latitude", "lon", "lng", "longitude", "gps_\\w+") or cells.distinct < 5:
        return None
    fine = np.abs(cells.numbers * 100 - np.round(cells.numbers * 100)) > 1e-6
    if not cells.raw.dtype.is_float() or np.abs(cells.numbers).max() > 180 or fine.mean() < 0.5:
        return None
    column = Column(
        name=cells.name,
        kind=Kind.NUMBER,
        roles=(Role.IDENTIFIER,),
        storage=cells.storage,
        identifier="coordinates",
        confidence=0.9,
        reason="named like a coordinate, and fine enough to find a house",
    )
    return Guess(column)


def _found(cells: Cells, identifier: Identifier, confidence: float, reason: str) -> Guess:
    is_key = identifier.kind is Kind.KEY
    column = Column(
        name=cells.name,
        kind=identifier.kind,
        roles=(Role.IDENTIFIER, Role.KEY) if identifier.name == "mrn" else (Role.IDENTIFIER,),
        storage=cells.storage,
        format=mask(cells) if is_key and cells.is_text else None,
        identifier=identifier.name,
        confidence=confidence,
        reason=reason,
    )
    return Guess(column)


def names_in_prose(cells: Cells) -> float:
    """Return the share of free texts that seem to name somebody or to hold a number that does."""
    return cells.matching(_IN_PROSE)


def _article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' or word in ('mrn', 'ssn') else 'a'} {word}"
