"""A secret is seen nowhere but where it is asked for."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upwell.secret import MASK, Secret

WORD = "correct-horse-battery"


@dataclass(frozen=True)
class Holder:
    password: Secret


@pytest.mark.parametrize("shown", [repr, str, "{}".format, "{!r}".format, "%s".__mod__])
def test_no_way_of_printing_shows_it(shown: object) -> None:
    assert callable(shown)
    for one in (Secret(WORD), Holder(Secret(WORD)), [Secret(WORD)], {"password": Secret(WORD)}):
        said = shown((one,)) if shown == "%s".__mod__ else shown(one)
        assert WORD not in said
        assert MASK in said


def test_what_is_revealed_is_the_text_but_masked_in_a_client_s_options() -> None:
    revealed = Secret(WORD).reveal()
    assert revealed == WORD
    assert revealed.encode() == WORD.encode()
    assert repr({"sasl_plain_password": revealed}) == "{'sasl_plain_password': ***}"


def test_neither_a_log_nor_a_traceback_shows_it(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("upwell").warning("options %r", {"password": Secret(WORD).reveal()})
    assert WORD not in caplog.text
    wrong = ValueError({"password": Secret(WORD)})
    assert WORD not in "".join(traceback.format_exception(wrong))


@given(st.text(), st.text())
def test_secrets_are_equal_as_their_texts_are(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) == (one == other)
    assert hash(Secret(one)) == hash(Secret(one))
    assert Secret(one) != one


def test_it_is_not_written_anywhere() -> None:
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="hand it over by the environment") as caught:
            write(Secret(WORD))
        assert WORD not in str(caught.value)
