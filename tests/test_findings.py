"""The table of problems: what says the same is one line, and nothing else is hidden."""

from auxseg.findings import SHOWN, Findings, alike


def table(*lines: str) -> list[str]:
    """Return the indented lines of a table of one kind."""
    findings = Findings()
    findings.add("kind", lines)
    head, *others = findings.lines()
    assert head == f"error   {len(lines):>7}  kind"
    return [line.strip() for line in others]


def test_places_and_values_that_differ_are_listed():
    assert table(
        "/d/t.csv line 2: label 'cta' of 'a' is no class; did you mean 'cat'?",
        "/d/t.csv line 3: label 'cta' of 'b' is no class; did you mean 'cat'?",
        "/d/t.csv line 9: no id; write one",
        "/d/t.csv line 12: label 'dgo' of 'c' is no class; did you mean 'dog'?",
    ) == [
        "/d/t.csv line 2: label 'cta' of 'a' is no class; did you mean 'cat'?",
        "and 2 more alike: line 3 ('cta', 'b', 'cat'), line 12 ('dgo', 'c', 'dog')",
        "/d/t.csv line 9: no id; write one",
    ]


def test_files_in_several_folders_and_lines_without_a_place():
    assert table("/d/a/1.jpg: bad; fix", "/d/b/1.jpg: bad; fix") == [
        "/d/a/1.jpg: bad; fix",
        "and 1 more alike: /d/b/1.jpg",
    ]
    assert table("a/1.jpg = b/2.jpg; remove one", "a/1.jpg = b/3.jpg; remove one") == [
        "a/1.jpg = b/2.jpg; remove one",
        "and 1 more alike: (b/3.jpg)",
    ]


def test_a_mark_for_what_is_left_out_is_no_value():
    """Both lines have the same text once their values are replaced by that mark."""
    assert len(list(alike(["x: has … of 3", "x: has 'a' of 3"]))) == 2


def test_numbers_of_all_are_counted():
    lines = [f"{number}.jpg: bad; fix" for number in range(SHOWN + 3)]
    assert table(*lines)[1].endswith(f", {SHOWN - 1}.jpg, …")
    words = [f"p: {'x' * number} is bad; fix" for number in range(1, SHOWN + 4)]
    assert table(*words)[-1] == "… and 3 more"
