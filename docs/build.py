"""Write the reference pages from the catalogs, the command line and the file formats: `python -m docs.build`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from docs import reference_families, reference_files, reference_knowledge, reference_programs

REFERENCE = Path(__file__).parent / "reference"
MARK = "<!-- Written by `make docs` from the code. Edit the code, not this page. -->"

PAGES: dict[str, Callable[[], str]] = {
    "synthesizers.md": reference_families.synthesizers,
    "populations.md": reference_families.populations,
    "language-models.md": reference_families.language_models,
    "metrics.md": reference_families.metrics,
    "sections.md": reference_families.sections,
    "renderers.md": reference_families.renderers,
    "sources.md": reference_families.sources,
    "exports.md": reference_families.exports,
    "policies.md": reference_families.policies,
    "knowledge.md": reference_knowledge.knowledge,
    "command-line.md": reference_programs.command_line,
    "python.md": reference_programs.python,
    "schema-file.md": reference_files.schema_file,
    "plan-file.md": reference_files.plan_file,
    "release-folder.md": reference_files.release_folder,
}


def pages() -> Iterator[tuple[Path, str]]:
    """Give each generated page: its path and its text."""
    titles = {}
    for name, compose in PAGES.items():
        text = compose().rstrip() + "\n"
        titles[name] = text.splitlines()[0].removeprefix("# ")
        yield REFERENCE / name, f"{MARK}\n\n{text}"
    lines = [f"- [{title}]({name})" for name, title in titles.items()]
    text = "# Reference\n\nWhat can be chosen, set and read, as the code of this version has it.\n\n"
    yield REFERENCE / "README.md", f"{MARK}\n\n{text}" + "\n".join(lines) + "\n"


def main() -> int:
    """Write the pages that differ, remove those that are no more, and say which."""
    REFERENCE.mkdir(exist_ok=True)
    wanted = dict(pages())
    for path, text in wanted.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            print(path.relative_to(REFERENCE.parents[1]))
    for path in set(REFERENCE.glob("*.md")) - set(wanted):
        path.unlink()
        print(f"{path.relative_to(REFERENCE.parents[1])} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
