from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.replay.tuning.file import with_learner
from upwell.errors import SettingsError

NAMES = st.sampled_from(["neighbours", "candidates", "explore", "seed"])
LINES = st.lists(
    st.one_of(
        st.builds("{} = {}".format, NAMES, st.integers(1, 99)),
        st.sampled_from(
            ["", "# a comment", "[learner]", "[kafka]", " [ learner ] # ours", "[a.b]"]
        ),
    ),
    max_size=12,
)
VALUES = st.dictionaries(
    st.sampled_from(["neighbours", "candidates"]), st.integers(1, 99), min_size=1
)


def tree(text: str) -> dict[str, dict[str, int]] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


@given(LINES, VALUES)
def test_what_comes_out_says_what_was_there_and_the_new(
    lines: list[str], values: dict[str, int]
) -> None:
    text = "\n".join(lines)
    before = tree(text)
    if before is None:
        with pytest.raises(SettingsError, match=r"put in yourself, below \[learner\]"):
            with_learner(text, values, "of a test")
        return
    found = with_learner(text, values, "of a test")
    assert tree(found) == {**before, "learner": {**before.get("learner", {}), **values}}
    assert set(filter(None, lines)) - set(found.splitlines()) <= {
        line for line in lines if line.split(" ")[0] in values
    }


def test_a_later_comment_takes_the_place_of_an_earlier_one() -> None:
    text = "[learner]\nseed = 3\n\n[kafka]\nprefix = 'a.'\n"
    once = with_learner(text, {"neighbours": 64}, "once")
    assert with_learner(once, {"neighbours": 65, "cold_item_weight": 1.5}, "twice") == (
        "[learner]\n# upwell tune twice\nneighbours = 65\ncold_item_weight = 1.5\nseed = 3\n\n"
        "[kafka]\nprefix = 'a.'\n"
    )
    assert with_learner("", {"neighbours": 64}, "new") == (
        "[learner]\n# upwell tune new\nneighbours = 64\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "learner = {neighbours = 3}\n",
        "learner.neighbours = 3\n",
        "[learner\n",
        "x = '''\n[learner]\n'''\n",
    ],
)
def test_what_it_cannot_change_is_said(text: str) -> None:
    with pytest.raises(SettingsError, match="neighbours = 64"):
        with_learner(text, {"neighbours": 64}, "of a test")
