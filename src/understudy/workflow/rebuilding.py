"""The estimation of a population anew, from raw survey files."""

from __future__ import annotations

from pathlib import Path

from understudy.core.errors import RequestError, SourceError
from understudy.populations.building import build
from understudy.populations.catalog import CATALOG as POPULATIONS
from understudy.populations.us_adults import NAME as US_ADULTS
from understudy.store.artifacts import unwritable


def rebuild_population(name: str, folder: Path, out: Path) -> tuple[Path, ...]:
    """Estimate a population anew from raw survey files, and write its parameters: aggregates only.

    Args:
        name: catalog name.
        folder: the survey's files, SAS transport, gzipped or not.
        out: folder to write into.

    Raises:
        UnknownNameError: if there is no such population.
        RequestError: if it is not estimated from survey files.
        SourceError: if a file is missing or cannot be read.
    """
    POPULATIONS.entry(name)
    if name != US_ADULTS:
        raise RequestError(f"{name!r} is not estimated from survey files; {US_ADULTS!r} is")
    if not folder.is_dir():
        raise SourceError(
            f"there is no folder {str(folder)!r}; name the one that holds the survey's P_*.XPT files"
        )
    try:
        return build(folder, out)
    except OSError as error:
        raise unwritable(out, error) from error
