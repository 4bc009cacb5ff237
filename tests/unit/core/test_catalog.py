"""Catalogs: choosing by name, settings checked once."""

from __future__ import annotations

import pytest
from pydantic import Field

from understudy.core.catalog import Catalog, Choice, Entry
from understudy.core.contracts import Recipe
from understudy.core.errors import SettingsError, UnknownNameError


class Oven(Recipe):
    heat: int = Field(default=180, ge=50, le=300)


CATALOG: Catalog[Oven] = Catalog("oven", [Entry("oven", f"{__name__}:Oven", "bakes")])


def test_a_choice_makes_a_recipe_with_its_settings() -> None:
    assert CATALOG.create(Choice(name="oven", settings={"heat": 200})).heat == 200


def test_a_wrong_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'oven'"):
        CATALOG.create("ovne")


def test_a_wrong_setting_is_named_with_what_was_expected() -> None:
    with pytest.raises(SettingsError, match="Did you mean 'heat'"):
        CATALOG.create(Choice(name="oven", settings={"haet": 200}))
    with pytest.raises(SettingsError, match="less than or equal to 300"):
        CATALOG.create(Choice(name="oven", settings={"heat": 900}))
