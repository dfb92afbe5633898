"""How cells of labels become names: a table of what people write, and what each is read as."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auxseg.datasets.spelling import fold
from auxseg.datasets.tag_cells import APOSTROPHES, BRACKETS, QUOTES, read_names
from auxseg.errors import DataError

KNOWN = ["cat", "dog", "traffic light", "light", "Käfer", "cow, black", "car [red]", "person"]


def read(*cells, known=None):
    """Return the names of each cell of a file that has these alone."""
    return read_names([(f"a.csv line {number}", [cell]) for number, cell in enumerate(cells, 2)], known)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("cat", ["cat"]),
        ("", []),
        ("   ", []),
        ("cow, car", ["cow", "car"]),
        ("cow,car", ["cow", "car"]),
        ("cow ,car", ["cow", "car"]),
        ("cow;car", ["cow", "car"]),
        ("cow; car;", ["cow", "car"]),
        (";cow;;car", ["cow", "car"]),
        ("cow|car", ["cow", "car"]),
        ("cow | car", ["cow", "car"]),
        ("cow\tcar", ["cow", "car"]),
        ("cow\ncar", ["cow", "car"]),
        ("cow\r\ncar\r\n", ["cow", "car"]),
        ("cow, car; dog|bird", ["cow", "car", "dog", "bird"]),
        ("traffic light, cat", ["traffic light", "cat"]),
        ("traffic light;", ["traffic light"]),
        ("cat, cat", ["cat"]),
        ('["horse", "person"]', ["horse", "person"]),
        ('["traffic light"]', ["traffic light"]),
        ('["cow, black", "dog"]', ["cow, black", "dog"]),
        ("[1, 2]", ["1", "2"]),
        ("[]", []),
        ('[" "]', []),
        ("['horse', 'person']", ["horse", "person"]),
        ("['traffic light']", ["traffic light"]),
        ("['horse' 'person']", ["horse", "person"]),  # numpy's array as text
        ("['horse'\n 'person']", ["horse", "person"]),
        ("['', 'horse']", ["horse"]),
        ('["", "cow, black"]', ["cow, black"]),
        ('["driver\'s cab", "x"]', ["driver's cab", "x"]),
        ("['driver\\'s cab', 'x']", ["driver's cab", "x"]),
        ("[horse, person]", ["horse", "person"]),
        ("{horse,person}", ["horse", "person"]),  # PostgreSQL's array
        ("<horse>; <person>", ["horse", "person"]),
        ('"cow", "car"', ["cow", "car"]),
        ('"cow" "car"', ["cow", "car"]),
        ("'cow, car'", ["cow", "car"]),
        ("\u201ccow\u201d; \u201etraffic light\u201c", ["cow", "traffic light"]),
        ("\u2018cow\u2019; «car»", ["cow", "car"]),
        ("driver's cab; dog", ["driver's cab", "dog"]),
        ("driver\u2019s cab; dog", ["driver\u2019s cab", "dog"]),
        ("crane (bird); dog", ["crane (bird)", "dog"]),
        ("crane (bird, not machine), dog", ["crane (bird, not machine)", "dog"]),
        ("Käfer;Ka\u0308fer", ["Käfer"]),
        ("traffic  light;\u00a0dog", ["traffic light", "dog"]),
        ("猫、犬;鳥", ["猫、犬", "鳥"]),
    ],
)
def test_a_cell_without_known_names(cell, expected):
    names, _ = read(cell)
    assert names == [tuple(expected)]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("cat dog", ["cat", "dog"]),
        ("traffic light", ["traffic light"]),
        ("Traffic  Light", ["traffic light"]),
        ("cat traffic light dog", ["cat", "traffic light", "dog"]),
        ("light cat", ["light", "cat"]),
        ("CAT;Dog", ["cat", "dog"]),
        (" cat , dog ", ["cat", "dog"]),
        ("KA\u0308FER", ["Käfer"]),
        ("cow, black", ["cow, black"]),
        ("cow, black; dog", ["cow, black", "dog"]),
        ("cat, traffic light", ["cat", "traffic light"]),
        ("cat;dog person", ["cat", "dog", "person"]),
        ("car [red]", ["car [red]"]),
        ("car [red]; dog", ["car [red]", "dog"]),
        ('["Cat", "TRAFFIC light"]', ["cat", "traffic light"]),
        ('"cat" "dog"', ["cat", "dog"]),
        ("cat zebra", ["cat", "zebra"]),  # `collect` says that zebra is not a class
        ("cat; plains zebra", ["cat", "plains zebra"]),
    ],
)
def test_a_cell_with_known_names(cell, expected):
    names, _ = read(cell, known=KNOWN)
    assert names == [tuple(expected)]


def test_a_name_that_is_known_exactly_is_not_another_of_other_case():
    assert read("Cat cat", known=["cat", "Cat"])[0] == [("Cat", "cat")]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ('{"cat": 1}', 'the labels are a JSON object, {"cat": 1}; write names with'),
        ('[["cat"], ["dog"]]', "the labels are a nested list"),
        ("[['cat']]", "the labels are a nested list"),
        ("[[cat]]", "the labels are a nested list"),
        ('["cat", ["dog"]]', "the labels are a nested list"),
        ('["cat", {"a": 1}]', "the labels are a nested list"),
        ('["cat", null]', "the labels are a list with a value that is not text"),
        ('["cat", true]', "the labels are a list with a value that is not text"),
        ('["cat;dog"]', "label 'cat;dog' has a ; inside"),
        ('5" disk;cat', "label '5\" disk' has a \" inside"),
        ("cat [old] one;dog", r"label 'cat [old] one' has a [ inside"),
        ("array(['cat'])", "label 'array(['cat'])' has a [ inside"),
        ("rock 'n' roll;cat", "label 'rock 'n' roll' has a ' inside"),
        ("['rock''roll', 'cat']", "label 'rock''roll' has a ' inside"),
        ("cat (old;dog", "label 'cat (old' has a parenthesis without its partner"),
        ("a)b;c", "label 'a)b' has a parenthesis without its partner"),
        ("[" * 5000 + "]" * 5000, "the labels are a nested list"),
    ],
)
def test_a_cell_that_is_rejected_names_its_row(cell, message):
    with pytest.raises(DataError) as rejection:
        read("cat;dog", cell)
    assert str(rejection.value).startswith(f"a.csv line 3: {message}")
    assert "\n" not in str(rejection.value) and len(str(rejection.value)) < 250


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        # labels recur in other combinations: spaces separate
        (["horse person", "horse", "person dog"], [("horse", "person"), ("horse",), ("person", "dog")]),
        (["cat dog", "cat", "", "cat  cat"], [("cat", "dog"), ("cat",), (), ("cat",)]),
        # words of a name hardly do
        (
            ["traffic light", "cat", "stop sign", "traffic light"],
            [("traffic light",), ("cat",), ("stop sign",), ("traffic light",)],
        ),
        (["traffic light", "stop light", "cat"], [("traffic light",), ("stop light",), ("cat",)]),
        # a separator in any cell: spaces are part of names
        (["horse person", "horse", "person;dog"], [("horse person",), ("horse",), ("person", "dog")]),
        (["horse person", "horse", '["person"]'], [("horse person",), ("horse",), ("person",)]),
    ],
)
def test_spaces_separate_by_what_the_other_cells_have(cells, expected):
    assert read(*cells)[0] == expected


def test_what_spaces_mean_is_said_with_the_way_to_have_it_otherwise():
    (split,) = read("horse person", "horse", "person dog")[1]
    assert "spaces decide; they separate labels: 'horse person' is read as horse, person." in split
    assert "If it is one name, write 'horse person|'" in split  # `;` may be the table's own delimiter
    assert read("horse person|", "horse", "person dog")[0][0] == ("horse person",)
    (whole,) = read("traffic light", "cat")[1]
    assert "they are part of names: 'traffic light' is read as one label." in whole
    assert "If it is several, write 'traffic|light'" in whole
    assert read("cat", "dog")[1] == read("cat dog", "cat", known=["cat", "dog"])[1] == []


@pytest.mark.parametrize(
    "cell",
    ["cow/car", "Cow / car", "cow + car", "cow&car", "cow and car", "cow AND car", "cow car", "cow-car", "cow、car"],
)
def test_names_joined_by_something_else_are_noted(cell):
    names, notes = read("cow;dog", "car", cell, cell)
    assert names[2] == (cell,)  # only noted: it may be a class
    assert notes == [
        f"labels: '{cell}' (2 images) is read as one name, but cow and car are classes too; if it means several, write "
        "'cow|car'"
    ]


def test_joined_names_of_several_words_and_of_three_parts():
    (note,) = read("traffic light;dog", "cow", "traffic light/cow & dog")[1]
    assert "but traffic light and cow and dog are classes too" in note and "write 'traffic light|cow|dog'" in note
    (note,) = read("cow;car", "dog, and car")[1]
    assert note.startswith("labels: 'and car' (1 image) is read as one name, but car is a class too; if it means that")


@pytest.mark.parametrize("cells", [("cow;dog", "cow/zebra"), ("t-shirt;cow", "shirt"), ("cow|car", "cow;dog")])
def test_a_name_with_another_part_is_a_name(cells):
    assert read(*cells)[1] == []


def test_a_known_name_is_never_taken_apart():
    assert read("cow", "car", "cow/car", known=["cow", "car", "cow/car"])[1] == []


def test_a_mark_that_spaces_make_a_name_is_noted():
    names, notes = read("cow & car", "cow", "dog and car", "dog & cow", "car")
    assert names[0] == ("cow", "&", "car")
    assert notes[1:] == [
        "labels: '&' (2 images) is read as a class; write '|' between names instead",
        "labels: 'and' (1 image) is read as a class; write '|' between names instead",
    ]


@pytest.mark.parametrize("text", ["nan", "None", "NULL", "-"])
def test_what_programs_write_for_nothing_is_noted(text):
    names, notes = read("cow;dog", text)
    assert names == [("cow", "dog"), (text,)]
    assert notes == [f"labels: '{text}' (1 image) is read as a class; if it means no object, leave the cell empty"]
    assert read("cow;dog", text, known=["cow", "dog", text])[1] == []


def test_notes_on_joined_names_end_early():
    pairs = [f"a/{letter}" for letter in "bcdefgh"]
    notes = read("a;b;c;d;e;f;g;h", *pairs)[1]
    assert len(notes) == 6 and notes[-1] == "labels: 2 more names consist of other ones"


def test_spellings_are_joined_to_the_most_frequent_one_with_a_note():
    names, notes = read("cat;dog", "Cat;dog", "cat", "traffic light", "Traffic  Light")
    assert names == [("cat", "dog"), ("cat", "dog"), ("cat",), ("traffic light",), ("traffic light",)]
    assert notes == [
        "labels: 'Cat' (1 image) is read as 'cat' (2 images)",
        "labels: 'Traffic  Light' (1 image) is read as 'traffic light' (1 image)",
    ]


def test_outer_spaces_and_unicode_forms_are_noted_where_they_join_two_spellings():
    names, notes = read("cat;Käfer", "cat ", "Ka\u0308fer;")
    assert names == [("cat", "Käfer"), ("cat",), ("Käfer",)]
    assert notes == [
        "labels: 'cat ' (1 image) is read as 'cat' (1 image)",
        "labels: 'Ka\u0308fer' in another Unicode form (1 image) is read as 'Käfer' (1 image)",
    ]
    assert read("cat , dog", "dog ; cat")[1] == []  # a space beside a separator is not another spelling


def test_the_spelling_of_known_names_wins():
    names, notes = read("CAT", "CAT", "cat", known=["cat"])
    assert names == [("cat",)] * 3
    assert notes == ["labels: 'CAT' (2 images) is read as 'cat' (1 image)"]
    assert read("CAT", known=["cat"])[1] == ["labels: 'CAT' (1 image) is read as 'cat'"]


def test_many_spellings_are_counted():
    notes = read(*(f"{name};{name.upper()}" for name in string.ascii_lowercase))[1]
    assert len(notes) == 6
    assert notes[-1] == "labels: 21 more spellings are read as another one"


MARKS = ";,|()" + QUOTES + APOSTROPHES + BRACKETS
NAMES = st.lists(
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters=MARKS), min_size=1)
    .map(lambda text: " ".join(text.split()))
    .filter(bool),
    min_size=2,
    max_size=5,
    unique_by=fold,
)
WAYS = {
    ";": ";".join,
    "; ": "; ".join,
    ", ": ", ".join,
    "JSON": json.dumps,
    "JSON in Unicode": lambda names: json.dumps(names, ensure_ascii=False),
    "Python": repr,
    "tab": "\t".join,
    "quotes": lambda names: ", ".join(f'"{name}"' for name in names),
    "line": "\n".join,
}


@pytest.mark.parametrize("way", WAYS)
@given(names=NAMES)
def test_names_survive_each_way_of_writing_them(way, names):
    read_back, _ = read(WAYS[way](names))
    assert [fold(name) for name in read_back[0]] == [fold(name) for name in names]


@given(cells=st.lists(st.text(), min_size=1, max_size=4), known=st.none() | st.just(KNOWN))
def test_any_text_gives_clean_names_or_one_line(cells, known):
    try:
        rows, notes = read(*cells, known=known)
    except DataError as error:
        assert str(error).startswith("a.csv line ")
        return
    for name in {name for names in rows for name in names} - set(KNOWN):
        assert name == name.strip() and name and not set(name) & set(QUOTES + BRACKETS + ";")
    assert all(isinstance(note, str) for note in notes)


@pytest.mark.parametrize("words", [("1", "0"), ("yes", "no"), ("True", "False"), ("1", "")])
def test_a_column_of_answers_is_not_a_column_of_classes(words):
    rows = [(f"t.csv line {line}", (word,)) for line, word in enumerate(words, 2)]
    with pytest.raises(DataError, match=r"t\.csv line 2: all labels are .*; if they say .* as in image_id,road"):
        read_names(rows, None)
    assert read_names(rows, [word for word in words if word])[0] == [(word,) if word else () for word in words]
