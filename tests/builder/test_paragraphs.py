"""Wrapping changes where lines break, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from adw_components.builder.paragraphs import WIDTH, wrapped

CODE = "```bash\n  a    b \\\n\n\n    --c\n```\n"
words = st.lists(
    st.text("ab`1.", min_size=1, max_size=9).filter(lambda word: "```" not in word), min_size=1, max_size=60
)


@given(words)
def test_a_paragraph_keeps_its_words(parts: list[str]) -> None:
    text = wrapped(" ".join(parts))
    assert text.split() == parts
    assert text.count("`") % 2 or all(line.count("`") % 2 == 0 for line in text.splitlines())


@given(words)
def test_wrapping_twice_is_wrapping_once(parts: list[str]) -> None:
    once = wrapped("\n".join(parts))
    assert wrapped(once) == once


def test_lines_are_as_long_as_they_may_be() -> None:
    lines = wrapped("word " * 200).splitlines()
    assert all(WIDTH - len("word") - 1 < len(line) <= WIDTH for line in lines[:-1])


def test_code_tables_headings_and_pictures_stay() -> None:
    text = f"# A heading{' on' * 60}\n\n![picture](a.svg)\n\n| a |\n|---|\n| {'b ' * 90}|\n\n{CODE}"
    assert wrapped(text) == text


def test_items_are_indented_and_empty_lines_are_single() -> None:
    text = wrapped("\n\n- one\n- " + "two " * 40 + "\n  three\n\n\n\nfour\n\n")
    lines = text.splitlines()
    assert lines[0] == "- one" and lines[1].startswith("- two") and lines[2].startswith("  two")
    assert lines[2].endswith("two three") and lines[3:] == ["", "four"]


def test_a_piece_of_code_is_not_broken() -> None:
    text = wrapped("x " * (WIDTH // 2 - 3) + "`pip install something`")
    assert text.splitlines()[1] == "`pip install something`"
