"""Pictures in the catalogue's chain: what is missing is life as usual, what was seen is not looked
at again, what cannot be had costs nothing else.
"""

from __future__ import annotations

import numpy as np
import pytest

from store.memory import MemoryStore
from stream.chain.effects import ItemEffects
from stream.chain.items import ItemPipeline
from stream.chain.pictures import Missed, has_picture, missed_lines, seen_otherwise, shortened
from stream.chain.records import Record
from stream.chain.wire import decode_item, encode_item
from tests.stream.chain.chain import ENCODER, NOW_MS, NotingEncoder, record
from tests.stream.chain.pictures.shown import Shown
from upwell.events import Topic
from upwell.values import GONE_SCHEME, CatalogueItem

T0 = NOW_MS - 100_000
LONG = "data:image/png;base64," + "A" * 3_000


class Items:
    """An item chain over a memory store; `again` is one after a restart, maybe with others."""

    def __init__(self, pictures: Shown | None, store: MemoryStore | None = None) -> None:
        self.pictures = pictures
        self.store = store or MemoryStore(ENCODER.dimension)
        self.encoder = NotingEncoder(ENCODER.dimension)
        self.pipeline = ItemPipeline(self.encoder, self.store, pictures=pictures)

    def run(self, *records: Record) -> ItemEffects:
        return self.pipeline.run(records, NOW_MS)

    def stored(self, item_id: str = "i") -> CatalogueItem:
        [found] = self.store.read_items([item_id])
        assert found is not None
        return found

    def again(self, pictures: Shown | None) -> Items:
        return Items(pictures, self.store)


def item(ts: int = 1, item_id: str = "i", **more: object) -> Record:
    return record(Topic.ITEMS, ts, {"item_id": item_id, "ts": T0 + ts, **more})


def test_an_item_without_a_picture_is_to_the_bit_what_it_is_without_a_picture_model() -> None:
    plain, shown = Items(None), Items(Shown())
    records = [item(1, title="Solaris", text="A planet"), item(2, "j", title="T", image="no")]
    for chain in (plain, shown):
        chain.run(*records)
    for item_id in ("i", "j"):
        one, other = plain.stored(item_id), shown.stored(item_id)
        np.testing.assert_array_equal(one.vector, other.vector)
        assert (one.revision, other.picture) == (other.revision, None)
    assert encode_item(plain.stored("i")) == encode_item(shown.stored("i"))


def test_off_nobody_looks_and_records_are_as_before() -> None:
    chain = Items(None)
    [made] = chain.run(item(title="T", image="a.png")).items
    assert (made.image, made.picture, made.pictured) == ("a.png", None, "")
    assert b"pictur" not in encode_item(made)
    assert chain.run(item(2, "j", image="a.png")).dead_letters[0].reason == "missing_field"


def test_words_and_picture_make_one_vector_and_the_store_alone_keeps_the_picture() -> None:
    chain = Items(Shown())
    [made] = chain.run(item(title="T", image="a.png")).items
    words, shown = ENCODER.encode(["T", "a.png"])
    assert made.picture is not None
    assert chain.pictures is not None
    np.testing.assert_array_equal(made.vector, chain.pictures.placed(words, made.picture))
    np.testing.assert_allclose(made.picture, shown, atol=1e-3)
    assert made.pictured.startswith("m.1/p/")
    assert has_picture(made)
    published = decode_item(encode_item(made))
    assert (published.picture, published.pictured) == (None, made.pictured)
    np.testing.assert_array_equal(published.vector, made.vector)


def test_a_picture_alone_is_an_item() -> None:
    chain = Items(Shown())
    [made] = chain.run(item(image="a.png")).items
    assert made.title == ""
    np.testing.assert_allclose(made.vector, ENCODER.encode(["a.png"])[0], atol=1e-3)
    assert chain.encoder.calls == []
    [named] = chain.run(item(2, title="T")).items
    assert named.title == "T"
    assert float(named.vector @ made.vector) < 0.999


def test_a_picture_alone_that_cannot_be_had_is_a_dead_letter_and_the_others_go_on() -> None:
    chain = Items(Shown())
    effects = chain.run(item(1, image="no"), item(2, "j", title="J"), item(3, "k", image="late"))
    assert [one.item_id for one in effects.items] == ["j"]
    assert [one.reason for one in effects.dead_letters] == ["no_picture"] * 2
    assert chain.store.read_items(["i", "k"]) == [None, None]
    chain.run(item(4, image="a"))
    before = chain.stored()
    assert [one.reason for one in chain.run(item(5, image="no")).dead_letters] == ["no_picture"]
    assert chain.stored() is before


def test_what_was_seen_is_not_looked_at_again() -> None:
    chain = Items(Shown())
    assert chain.pictures is not None
    chain.run(item(1, title="T", image="a.png"))
    before = chain.stored()
    [cheaper] = chain.run(item(2, price=3.0)).items
    [again] = chain.run(item(3, title="T", image="a.png")).items
    assert chain.pictures.looked == [["a.png"]]
    for one in (cheaper, again):
        np.testing.assert_array_equal(one.vector, before.vector)
        assert one.pictured == before.pictured
    assert chain.encoder.calls == [["T"]]
    [other] = chain.run(item(4, text="a planet that thinks")).items
    assert (other.picture is not None, other.pictured) == (True, before.pictured)
    assert chain.pictures.looked == [["a.png"]]
    assert not np.array_equal(other.vector, before.vector)


def test_a_redelivered_batch_gives_the_same_vectors_to_the_bit_and_looks_at_nothing() -> None:
    chain = Items(Shown())
    batch = [item(1, title="T", image="a.png"), item(2, "j", image="b.png")]
    first = chain.run(*batch).items
    after = chain.again(Shown())
    second = after.run(*batch).items
    assert after.pictures is not None
    assert after.pictures.looked == []
    for one, other in zip(first, second, strict=True):
        assert encode_item(one) == encode_item(other)


def test_another_picture_is_looked_at_and_of_one_batch_the_last() -> None:
    chain = Items(Shown())
    assert chain.pictures is not None
    chain.run(item(1, title="T", image="a"), item(2, title="T", image="b"))
    chain.run(item(3, image="c"))
    assert chain.pictures.looked == [["b"], ["c"]]


def test_a_picture_that_is_taken_away_leaves_the_words() -> None:
    chain = Items(Shown())
    chain.run(item(1, title="T", image="a"))
    [made] = chain.run(item(2, image=None)).items
    assert (made.image, made.picture, made.pictured) == (None, None, "")
    np.testing.assert_array_equal(made.vector, ENCODER.encode(["T"])[0])


def test_one_that_could_not_be_had_is_tried_again_when_it_is_announced_again() -> None:
    chain = Items(Shown())
    assert chain.pictures is not None
    effects = chain.run(item(1, title="T", image="no"))
    assert effects.missed == (Missed("i", "missing", "there is none"),)
    assert chain.stored().pictured == "m.1/p/none"
    assert not has_picture(chain.stored())
    chain.run(item(2, price=1.0))
    assert chain.pictures.looked == [["no"]]
    chain.run(item(3, image="no"))
    assert chain.pictures.looked == [["no"], ["no"]]


def test_a_picture_that_replaces_one_and_cannot_be_had_leaves_the_words() -> None:
    chain = Items(Shown())
    chain.run(item(1, title="T", image="a"))
    [made] = chain.run(item(2, image="no")).items
    np.testing.assert_array_equal(made.vector, ENCODER.encode(["T"])[0])


def test_what_comes_later_is_looked_at_by_the_renewal() -> None:
    chain = Items(Shown())
    chain.run(item(title="T", image="late"))
    assert chain.stored().pictured == ""
    assert seen_otherwise(chain.stored(), "m.1/p")
    assert chain.pictures is not None
    [made] = chain.pipeline.renew(["i"])
    assert chain.pictures.looked == [["late"], ["late"]]
    assert made.pictured == "m.1/p/none", "or it would be looked at for ever"
    assert not seen_otherwise(made, "m.1/p")


def test_a_picture_of_its_own_data_is_read_once_and_kept_by_its_digest() -> None:
    chain = Items(Shown())
    assert chain.pictures is not None
    [made] = chain.run(item(title="T", image=LONG)).items
    assert chain.pictures.looked == [[LONG]]
    assert made.image == shortened(LONG)
    assert len(encode_item(made)) < 1_000
    chain.run(item(2, image=LONG))
    assert len(chain.pictures.looked) == 1


@pytest.mark.parametrize("image", ["a.png", LONG])
def test_another_map_places_anew_what_was_seen(image: str) -> None:
    chain = Items(Shown())
    chain.run(item(title="T", image=image))
    before = chain.stored()
    other = Shown(placed="q")
    other.share = 0.9
    after = chain.again(other)
    assert seen_otherwise(before, other.revision)
    [made] = after.pipeline.renew(["i"])
    assert other.looked == []
    assert made.picture is before.picture
    assert made.pictured == before.pictured.replace("/p/", "/q/")
    assert not np.array_equal(made.vector, before.vector)
    assert not seen_otherwise(made, other.revision)
    stands = after.stored()
    assert after.pipeline.renew(["i"])[0] is stands, "nothing is written where nothing changed"


def test_another_model_reads_what_can_be_had_again_and_leaves_the_rest_to_the_words() -> None:
    chain = Items(Shown())
    chain.run(item(1, title="T", image="a"), item(2, "j", title="T", image=LONG))
    other = Shown("m.2")
    made = chain.again(other).pipeline.renew(["i", "j"])
    assert other.looked == [["a", shortened(LONG)]]
    assert [has_picture(one) for one in made] == [True, False]
    np.testing.assert_array_equal(made[1].vector, ENCODER.encode(["T"])[0])
    assert not any(seen_otherwise(one, other.revision) for one in made)


def test_a_picture_alone_that_another_model_cannot_have_stays_as_it_is() -> None:
    chain = Items(Shown())
    chain.run(item(image=LONG))
    before = chain.stored()
    assert chain.again(Shown("m.2")).pipeline.renew(["i"]) == ()
    assert chain.stored() is before


def test_turned_off_items_go_back_to_their_words() -> None:
    chain = Items(Shown())
    chain.run(item(1, title="T", image="a"), item(2, "j", title="U", image="no"))
    assert [seen_otherwise(chain.stored(one), "") for one in ("i", "j")] == [True, False]
    [made] = chain.again(None).pipeline.renew(["i"])
    np.testing.assert_array_equal(made.vector, ENCODER.encode(["T"])[0])
    assert (made.image, made.pictured) == ("a", "")


def test_turned_on_items_of_before_are_looked_at() -> None:
    chain = Items(None)
    chain.run(item(1, title="T", image="a"), item(2, "j", title="U"))
    after = Shown()
    assert [seen_otherwise(chain.stored(one), after.revision) for one in ("i", "j")] == [
        True,
        False,
    ]
    [made] = chain.again(after).pipeline.renew(["i"])
    assert has_picture(made)


def test_what_an_entry_keeps_of_a_picture() -> None:
    assert shortened("https://h/a.png") == "https://h/a.png"
    assert shortened("x" * 2_048) == "x" * 2_048
    assert shortened(LONG).startswith(GONE_SCHEME)
    assert shortened(LONG) == shortened(LONG) != shortened(LONG + "A")


def test_a_line_a_reason() -> None:
    missed = [Missed("i", "host", "not named"), Missed("j", "host", "n"), Missed("k", "type", "t")]
    assert missed_lines(missed) == [
        "item i has no picture: host, not named (2 items in this batch)",
        "item k has no picture: type, t",
    ]
    assert missed_lines([]) == []
