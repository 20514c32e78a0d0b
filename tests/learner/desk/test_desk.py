"""A desk: what it answers, when it leaves that to a person, and what it learns."""

from __future__ import annotations

import numpy as np

from learner.desk.desk import PENDING, Desk
from tests.learner.desk.asking import DIMENSION, desk, teach, template, vector

NONE = np.zeros((0, DIMENSION), np.float32)


def test_without_templates_there_is_nothing_to_tell() -> None:
    told = Desk(DIMENSION, 0.9).ask("q", "hello", "ann", vector(1))
    assert (told.matches, told.answers) == ((), False)


def test_at_first_the_templates_own_words_tell_and_a_person_answers() -> None:
    told = desk(range(5)).ask("q", "hello", "ann", vector(3, seed=1))
    assert told.matches[0].template_id == "t3"
    assert told.matches[0].passage == "title 3"
    assert len(told.matches) == 3
    assert not told.answers


def test_once_enough_was_right_it_answers_alone_and_names_the_question_before() -> None:
    made = desk(range(5))
    teach(made, [topic for _ in range(20) for topic in range(5)])
    told = made.ask("new", "word2", "bob", vector(2, seed=777))
    assert told.answers
    assert told.matches[0].template_id == "t2"
    assert told.matches[0].passage.startswith("word2 ")
    assert told.matches[0].confidence >= told.least


def test_what_people_choose_weighs_more_than_what_templates_say() -> None:
    made = desk(range(4))
    for seed in range(30):  # questions about what template 0 says are answered by template 3
        made.ask(f"q{seed}", "x", "ann", vector(0, seed))
        made.choose(f"q{seed}", "t3")
    assert made.ask("new", "x", "ann", vector(0, 99)).matches[0].template_id == "t3"


def test_words_tell_where_vectors_do_not() -> None:
    made = desk([])
    same = vector(7)
    for topic in (0, 1):
        made.put(template(topic), same, NONE)
    for seed in range(40):
        made.ask(f"q{seed}", ["refund please", "invoice please"][seed % 2], "ann", same)
        made.choose(f"q{seed}", f"t{seed % 2}")
    assert made.ask("a", "my refund", "ann", same).matches[0].template_id == "t0"
    assert made.ask("b", "my invoice", "ann", same).matches[0].template_id == "t1"


def test_a_template_that_is_withdrawn_answers_nothing_until_it_is_put_again() -> None:
    made = desk(range(3))
    made.withdraw("t1")
    made.withdraw("unknown")
    assert {one.template_id for one in made.ask("q", "x", "a", vector(1)).matches} == {"t0", "t2"}
    made.put(template(1), vector(1), NONE)
    assert made.ask("r", "x", "a", vector(1)).matches[0].template_id == "t1"


def test_examples_of_a_template_are_replaced_with_it() -> None:
    made = desk(range(3))
    made.put(template(0, "like one"), vector(0), vector(1, 5)[None])
    assert made.ask("q", "x", "a", vector(1, 5)).matches[0].passage == "like one"
    made.put(template(0), vector(0), NONE)
    assert len(made.memory) == 0


def test_a_choice_names_a_question_and_a_template_that_are_known() -> None:
    made = desk(range(2))
    made.ask("q", "x", "ann", vector(0))
    assert made.choose("other", "t0") == "question"
    assert made.choose("q", "other") == "template"
    assert made.choose("q", "t0") is None


def test_a_second_choice_corrects_and_the_same_one_again_changes_nothing() -> None:
    made = desk(range(2))
    made.ask("q", "x", "ann", vector(0))
    made.choose("q", "t1")
    weights = made.vectors.weights.copy()
    assert made.choose("q", "t1") is None
    np.testing.assert_array_equal(made.vectors.weights, weights)
    made.choose("q", "t0")
    assert [one.template for one in made.memory.known] == [0]
    np.testing.assert_array_equal(made.counts[:2], [1.0, 0.0])
    np.testing.assert_allclose(made.sums[1], 0.0, atol=1e-6)
    assert len(made.threshold.outcomes) == 1


def test_who_is_forgotten_is_in_no_question_any_more() -> None:
    made = desk(range(2))
    teach(made, [0, 1])
    made.ask("mine", "x", "bob", vector(0, 50))
    made.choose("mine", "t0")
    made.ask("open", "y", "bob", vector(1, 51))
    assert made.forget("bob") == 3
    assert {one.by for one in made.memory.known} == {"ann"}
    assert made.choose("open", "t0") == "question"
    assert made.forget("bob") == 0


def test_questions_that_wait_are_bounded() -> None:
    made = desk([0])
    made.ask("0", "x", "a", vector(0))
    made.pending.update({str(number): made.pending["0"] for number in range(PENDING)})
    made.ask("new", "x", "a", vector(0))
    assert len(made.pending) == PENDING
    assert "new" in made.pending
    assert "0" not in made.pending


def test_a_new_kind_of_question_is_offered_and_goes_with_its_template() -> None:
    made = desk(range(6))
    teach(made, [topic for _ in range(12) for topic in range(6)])
    offers = []
    for seed in range(8):
        told = made.ask(f"n{seed}", f"parrot number{seed}", f"u{seed}", vector(9, seed))
        assert not told.answers, "however sure the shares of six others are"
        offers += [told.offer] if told.offer else []
    assert [offer.size for offer in offers] == [5]
    assert "parrot" in offers[0].name.split()
    assert all(one.startswith("parrot") for one in offers[0].examples)
    made.put(template(9), vector(9), NONE)
    assert made.groups.groups == []


def test_other_words_are_left_to_a_person_until_as_many_of_them_were_right() -> None:
    """However sure it is: what is right of one language says nothing of another."""
    made = desk(range(5))
    teach(made, [topic for _ in range(20) for topic in range(5)])
    other = sum(not read for _, _, read in made.threshold.outcomes)  # the first of each template
    alone = []
    for seed in range(40):
        told = made.ask(f"n{seed}", f"frage{seed} nummer{seed}", "bob", vector(2, 900 + seed))
        assert told.matches[0].template_id == "t2"
        alone.append(told.answers)
        made.choose(f"n{seed}", "t2")
    assert not any(alone[: 9 - other]), "asked .9: nine right ones are needed, as of any words"
    assert any(alone)
    assert made.ask("known", "word2", "bob", vector(2, 777)).answers


def test_words_of_a_template_and_its_examples_are_known() -> None:
    made = desk(range(5))
    teach(made, [topic for _ in range(20) for topic in range(5)])
    assert not made.ask("a", "wo ist es", "bob", vector(2, 777)).answers
    made.put(template(2, "wo ist mein paket"), vector(2), vector(2, 5)[None])
    assert made.ask("b", "wo ist es", "bob", vector(2, 777)).answers
