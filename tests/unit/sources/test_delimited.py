"""Delimited text as people really write it."""

import bz2
import gzip
import lzma

import polars as pl
import pytest

from understudy.core.errors import SettingsError, SourceError
from understudy.sources.reading import read_table


@pytest.fixture
def write(tmp_path):
    def write_file(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


def columns(path, **settings):
    return read_table(path, settings=settings).frame.to_dict(as_series=False)


# --- layout --------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", "\x01", "\x1f"])
def test_any_delimiter_is_found(write, delimiter):
    rows = [["age", "sex", "note"], ["61", "f", "x, y; z"], ["47", "m", "plain"]]
    text = "\n".join(delimiter.join(f'"{cell}"' if " " in cell else cell for cell in row) for row in rows)
    assert columns(write(text)) == {"age": [61, 47], "sex": ["f", "m"], "note": ["x, y; z", "plain"]}


def test_decimal_commas_stay_text_and_do_not_confuse_the_delimiter(write):
    assert columns(write("id;bmi\n1;23,5\n2;31,0\n")) == {"id": [1, 2], "bmi": ["23,5", "31,0"]}


def test_a_delimiter_that_excel_declares_is_obeyed(write):
    assert columns(write("sep=|\na,b|c\n1,2|3\n")) == {"a,b": ["1,2"], "c": [3]}


def test_a_stated_delimiter_wins(write):
    assert columns(write("a b,c\n1 2,3\n"), delimiter=" ") == {"a": [1], "b,c": ["2,3"]}


def test_commas_in_the_cells_of_one_column_do_not_make_two(write):
    with pytest.raises(SourceError, match=r"row 3 .* has 2 cells, expected 1"):
        read_table(write("name\nSmith\nLi, Wei\nvan Dam\n"))
    assert columns(write('name\nSmith\n"Li, Wei"\n')) == {"name": ["Smith", "Li, Wei"]}


def test_newlines_and_doubled_quotes_inside_quoted_cells_are_kept(write):
    text = 'id,note\r\n1,"line one\nline ""two"""\r\n2,"a,b"\r\n'
    assert columns(write(text)) == {"id": [1, 2], "note": ['line one\nline "two"', "a,b"]}


def test_single_quotes_can_enclose_cells(write):
    assert columns(write("a,b\n'x,y',2\n"), quote="'") == {"a": ["x,y"], "b": [2]}


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_read_and_blank_lines_are_ignored(write, ending):
    assert columns(write(ending.join(["", "a,b", "1,2", "", "3,4", ""]))) == {"a": [1, 3], "b": [2, 4]}


def test_a_blank_line_of_a_one_column_table_is_a_missing_value(write):
    assert columns(write("age\n61\n\n47\n")) == {"age": [61, None, 47]}


@pytest.mark.parametrize(("packed", "suffix"), [(gzip, "gz"), (bz2, "bz2"), (lzma, "xz")])
def test_compressed_text_is_read_whatever_its_name(write, packed, suffix):
    content = packed.compress(b"a,b\n1,x\n")
    for name in (f"t.csv.{suffix}", "t.csv"):
        assert columns(write(content, name)) == {"a": [1], "b": ["x"]}


# --- encodings -----------------------------------------------------------------------------------

WORDS = {
    "utf-8": "Größe,naïve\nMüller,çà\n",
    "utf-8-sig": "Größe,naïve\nMüller,çà\n",
    "utf-16": "Größe,naïve\nMüller,çà\n",
    "utf-16-le": "Größe,naïve\nMüller,çà\n",
    "utf-16-be": "Größe,naïve\nMüller,çà\n",
    "utf-32": "Größe,naïve\nMüller,çà\n",
    "cp1252": "Größe,Preis €\nMüller,“çà”\n",
    "latin-1": "Größe,naïve\nMüller,çà\n",
    "cp1251": "возраст,диагноз\nшестьдесят,сахарный диабет второго типа\nсорок,гипертония и ожирение\n",
    "gb18030": "年龄,诊断\n六十一,二型糖尿病患者需要治疗\n四十七,高血压和肥胖症患者\n",
}


@pytest.mark.parametrize("encoding", WORDS)
def test_the_encoding_is_found(write, encoding):
    text = WORDS[encoding]
    header, *rows = [line.split(",") for line in text.splitlines()]
    found = columns(write(text.encode(encoding)))
    assert found == {name: [row[place] for row in rows] for place, name in enumerate(header)}


def test_a_late_byte_that_is_not_utf8_changes_the_guess_instead_of_failing(write):
    text = "id,name\n" + "1,plain\n" * 700_000 + "2,Müller\n"
    reading = read_table(write(text.encode("cp1252")))
    assert reading.frame["name"][-1] == "Müller"
    assert reading.details["encoding"] == "cp1252"
    assert "cp1252" in reading.notes[-1]


def test_a_stated_encoding_that_does_not_fit_names_the_byte(write):
    with pytest.raises(SourceError, match=r"not in the encoding 'utf-8': byte 0xfc.*State another"):
        read_table(write("name\nMüller\n".encode("cp1252")), settings={"encoding": "utf-8"})


def test_an_unknown_encoding_is_refused(write):
    with pytest.raises(SourceError, match="no text encoding is called 'utf-9'"):
        read_table(write("a\n1\n"), settings={"encoding": "utf-9"})
    with pytest.raises(SourceError, match="no text encoding is called 'base64'"):
        read_table(write("a\n1\n"), settings={"encoding": "base64"})


# --- cells ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "expected", "dtype"),
    [
        (["1", "-2", ""], [1, -2, None], pl.Int64),
        (["1.0", "2", " 3 "], [1.0, 2.0, 3.0], pl.Float64),
        (["1e-3", ".5", "NA"], [0.001, 0.5, None], pl.Float64),
        (["-9", "999", "4"], [-9, 999, 4], pl.Int64),
        (["00123", "00456", "78901"], ["00123", "00456", "78901"], pl.String),
        (["+441", "3", ""], ["+441", "3", None], pl.String),
        (["9007199254740992", "1"], ["9007199254740992", "1"], pl.String),
        (["9007199254740991", "1"], [9007199254740991, 1], pl.Int64),
        (["99999999999999999999", "1.5"], ["99999999999999999999", "1.5"], pl.String),
        (["true", "false"], ["true", "false"], pl.String),
        (["2020-01-31", "0000-01-01", "99999-12-31"], ["2020-01-31", "0000-01-01", "99999-12-31"], pl.String),
        (["1", "unknown"], ["1", "unknown"], pl.String),
        (["1,234", "5"], ["1,234", "5"], pl.String),
        (["1_000", "5"], ["1_000", "5"], pl.String),
        (["", "NULL", "nan"], [None, None, None], pl.String),
        (["NA", "None", "x"], [None, None, "x"], pl.String),
        (["inf", "word"], ["inf", "word"], pl.String),
    ],
)
def test_a_column_becomes_numbers_only_where_nothing_is_lost(write, cells, expected, dtype):
    text = "k,v\n" + "".join(f'a,"{cell}"\n' for cell in cells)
    values = read_table(write(text)).frame["v"]
    assert values.dtype == dtype
    assert values.to_list() == expected


@pytest.mark.parametrize("spelling", ["inf", "-Infinity", "1e999"])
def test_infinities_among_numbers_become_missing_with_a_note(write, spelling):
    reading = read_table(write(f"k,v\na,1.5\nb,{spelling}\n"))
    assert reading.frame["v"].to_list() == [1.5, None]
    assert reading.notes == ("Column 'v': 1 infinite values are read as missing.",)


def test_words_that_a_text_column_loses_are_noted(write):
    reading = read_table(write("k,drug\n1,None\n2,aspirin\n"))
    assert reading.notes == ("Column 'drug': 1 cells written 'None' are read as missing.",)
    kept = read_table(write("k,drug\n1,None\n2,aspirin\n"), settings={"missing": ()})
    assert kept.frame["drug"].to_list() == ["None", "aspirin"]


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ["3", "3,4,5"])
def test_a_row_of_another_length_is_refused_with_its_number(write, row):
    with pytest.raises(SourceError, match=rf"row 4 .* has {row.count(',') + 1} cells, expected 2"):
        read_table(write(f'a,b\n1,"x\ny"\n2,2\n{row}\n5,6\n'))


def test_the_number_of_a_bad_row_counts_from_the_start_of_a_large_file(write):
    text = "a,b\n" + "1,some words\n" * 600_000 + "1,2,3\n" + "1,some words\n" * 9
    with pytest.raises(SourceError, match=r"row 600002 \(the header is row 1\) has 3 cells"):
        read_table(write(text))


def test_a_missing_name_of_the_first_column_is_guessed_in_the_message(write):
    with pytest.raises(SourceError, match="the first column lacks a name"):
        read_table(write("a,b\nr1,1,2\nr2,3,4\nr3,3,4\n"), settings={"delimiter": ","})


@pytest.mark.parametrize(
    "text",
    ['a,b\n1,"open\n2,3\n', 'a,b\n1,"open\n2,3', 'a,b\n1,"x"\n2,"open\n3,"y"\n', 'a\n"open\n2\n3\n'],
)
def test_a_quotation_mark_that_is_never_closed_does_not_swallow_the_file(write, text):
    with pytest.raises(SourceError, match="quotation mark"):
        read_table(write(text))


def test_a_last_cell_that_holds_a_newline_is_fine(write):
    assert columns(write('a,b\n1,"x\ny"')) == {"a": [1], "b": ["x\ny"]}
    assert columns(write('a,b\n5" tall,"x\ny"\n6",z\n'))["b"] == ["x\ny", "z"]


@pytest.mark.parametrize("content", [b"a,b\n1,\x002\n", b"a,b\n" + b"1,2\n" * 2_000_000 + b"1,\x00\n"])
def test_nul_characters_are_refused(write, content):
    with pytest.raises(SourceError, match="NUL character after"):
        read_table(write(content))


def test_a_cell_of_ten_megabytes_is_read(write):
    text = "id,note\n1," + "x" * 10_000_000 + "\n2,y\n"
    assert read_table(write(text)).frame["note"].str.len_chars().to_list() == [10_000_000, 1]


def test_a_row_beyond_the_block_is_refused(write):
    with pytest.raises(SourceError, match="row longer than 32"):
        read_table(write('id,note\n1,"' + "x" * 70_000_000 + '"\n'))


def test_five_thousand_columns_are_read(write):
    names = ",".join(f"c{i}" for i in range(5000))
    row = ",".join(str(i) for i in range(5000))
    frame = read_table(write(f"{names}\n{row}\n{row}\n")).frame
    assert frame.shape == (2, 5000)
    assert frame["c4999"].to_list() == [4999, 4999]


def test_more_columns_than_any_table_has_are_refused(write):
    with pytest.raises(SourceError, match="20,001 columns, expected at most"):
        read_table(write(",".join(f"c{i}" for i in range(20_001)) + "\n"))


def test_one_row_one_column_and_all_missing_columns_are_read(write):
    assert columns(write("age\n61\n")) == {"age": [61]}
    assert columns(write("a,b\n1,\n2,\n")) == {"a": [1, 2], "b": [None, None]}


def test_a_file_without_a_header_is_suspected(write):
    assert "add a row of names" in read_table(write("61,1\n47,0\n")).notes[-1]


def test_a_setting_of_another_format_is_refused_by_name(write):
    with pytest.raises(SettingsError, match="'sheet'"):
        read_table(write("a\n1\n"), settings={"sheet": "x"})


# --- sampling ------------------------------------------------------------------------------------


def test_at_most_so_many_rows_are_a_uniform_sample_in_order_with_a_note(write):
    path = write("id,x\n" + "".join(f"{i},a\n" for i in range(20_000)))
    reading = read_table(path, max_rows=2000, seed=5)
    ids = reading.frame["id"]
    assert ids.is_sorted()
    assert ids.n_unique() == 2000
    # Mean of a uniform sample without replacement: standard error 129 * 0.95.
    assert abs(ids.to_numpy().mean() - 9999.5) < 5 * 123
    assert reading.rows_total == 20_000
    assert reading.is_sample
    assert (
        "Read 2,000 of 20,000 rows, a uniform random sample (seed 5), because at most 2,000"
        in reading.notes[0]
    )
    assert read_table(path, max_rows=2000, seed=5).frame.equals(reading.frame)
    assert not read_table(path, max_rows=2000, seed=6).frame.equals(reading.frame)


def test_a_file_larger_than_memory_gives_a_sample_that_fits_and_says_why(write):
    path = write("id,note\n" + "".join(f"{i},{'x' * 90}\n" for i in range(400_000)))
    reading = read_table(path, settings={"memory_mb": 20})
    assert reading.rows_total == 400_000
    assert 10_000 < reading.frame.height < 100_000
    assert abs(reading.frame["id"].to_numpy().mean() - 199_999.5) < 5 * 115_470 / reading.frame.height**0.5
    assert "because all of them would need more than the 6.7 MB set aside" in reading.notes[0]
