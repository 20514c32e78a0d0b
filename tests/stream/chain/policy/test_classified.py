"""A policy's classifier: what it reads, and what of it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.chain.policy import load_policy
from stream.chain.policy.model_file import write_model
from tests.stream.chain.policy.harm import model
from tests.stream.chain.policy.test_policy import item
from upwell.errors import SettingsError

LISTS = 'allow_items = ["seen"]\n[lists.own]\nwords = ["shoot"]\n'
BAD = "a quiet darn film"


@pytest.fixture(autouse=True)
def _model(tmp_path: Path) -> None:
    write_model(tmp_path / "harm.json", model())


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(text, "utf-8")
    return path


def test_it_is_the_last_of_the_lists(tmp_path: Path) -> None:
    own = load_policy(written(tmp_path, LISTS + '[classifier]\nmodel = "harm.json"\n'))
    assert own.judged(item(BAD)).blocked == "abuse"
    assert own.judged(item("A quiet film", text="heck and fool")).blocked == "abuse"
    assert own.judged(item(f"shoot {BAD}")).blocked == "own"
    assert own.judged(item(BAD, item_id="seen")).available
    assert own.judged(item("a quiet film")).available
    assert [name for name, _ in own.hits(f"shoot {BAD}")] == ["own", "abuse"]


def test_what_users_write_is_read_without_the_whole_text(tmp_path: Path) -> None:
    own = load_policy(written(tmp_path, LISTS + '[classifier]\nmodel = "harm.json"\n'))
    assert own.masked(BAD) == ""
    assert own.masked("a quiet film") == "a quiet film"


@pytest.mark.parametrize("reads", ["items", "reviews", "queries"])
def test_it_reads_what_it_is_told_to(tmp_path: Path, reads: str) -> None:
    text = f'[classifier]\nmodel = "harm.json"\nreads = ["{reads}"]\n'
    own = load_policy(written(tmp_path, LISTS + text))
    assert own.judged(item(BAD)).available == (reads != "items")
    for topic in ("reviews", "queries"):
        assert own.masked(BAD, topic) == ("" if reads == topic else BAD)
        assert own.masked("shoot a quiet film", topic) == "a quiet film", "the lists read all"


def test_a_segment_hides_it_by_its_label(tmp_path: Path) -> None:
    text = '[classifier]\nmodel = "harm.json"\nreads = []\n[segments.minors]\nhide = ["abuse"]\n'
    own = load_policy(written(tmp_path, text))
    assert own.judged(item(BAD)).available
    assert own.hidden(item(BAD)) == {"abuse"}
    assert own.hidden(item("a quiet film")) == frozenset()


def test_a_surface_hides_it_by_its_label(tmp_path: Path) -> None:
    text = '[classifier]\nmodel = "harm.json"\nreads = []\n[surfaces.home]\nhide = ["abuse"]\n'
    own = load_policy(written(tmp_path, text))
    assert own.hidden(item(BAD)) == own.hidden_from((), "home") == {"abuse"}


def test_its_threshold_may_be_the_operator_s(tmp_path: Path) -> None:
    text = '[classifier]\nmodel = "harm.json"\nthreshold = 1\n'
    own = load_policy(written(tmp_path, text))
    assert own.judged(item(BAD)).available


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("classifier = 3\n", "classifier: it is to be a table with a model"),
        ("[classifier]\n", "classifier: it is to be a table with a model"),
        ('[classifier]\nmodel = "none.json"\n', "classifier.model: "),
        ('[classifier]\nmodel = "policy.toml"\n', "policy.toml cannot be read"),
        ('[classifier]\nmodel = "harm.json"\nx = 1\n', "classifier.x: no such key"),
        ('[classifier]\nmodel = "harm.json"\nthreshold = 0\n', "classifier.threshold: it is 0"),
        ('[classifier]\nmodel = "harm.json"\nthreshold = true\n', "classifier.threshold"),
        ('[classifier]\nmodel = "harm.json"\nthreshold = nan\n', "classifier.threshold"),
        ('[classifier]\nmodel = "harm.json"\nreads = ["clicks"]\n', "classifier.reads"),
        ('[classifier]\nmodel = "harm.json"\nreads = "items"\n', "classifier.reads"),
        (
            '[lists.abuse]\nwords = ["x"]\n[classifier]\nmodel = "harm.json"\n',
            "'abuse' is the name of a list too",
        ),
    ],
)
def test_what_is_wrong_is_refused_by_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match="UPWELL_POLICY") as refused:
        load_policy(written(tmp_path, text))
    assert said in str(refused.value)


def test_a_model_that_was_changed_ends_the_start(tmp_path: Path) -> None:
    path = tmp_path / "harm.json"
    path.write_bytes(path.read_bytes().replace(b'"seed":7', b'"seed":8'))
    with pytest.raises(SettingsError, match=r"harm\.json was changed after it was learned"):
        load_policy(written(tmp_path, '[classifier]\nmodel = "harm.json"\n'))
