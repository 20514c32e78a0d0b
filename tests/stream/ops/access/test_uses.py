"""What the other uses keep of users, out of their newest checkpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson

from encoders import load_encoder
from learner.release import checkpoint
from learner.release.folder import LocalFolder
from stream.chain.privacy import Pseudonymizer
from stream.ops.access.uses import read_uses
from stream.uses.fold import Row, fold
from stream.uses.run import USES, use_folder
from upwell.settings import Settings
from upwell.uses.topics import UseTopic

NOW = 1_700_000_000_000
NAMES = Pseudonymizer(b"k" * 32)
ANN, BOB = NAMES.pseudonym("ann"), NAMES.pseudonym("bob")


def said(topic: UseTopic, value: dict[str, object]) -> Row:
    return Row(topic, 0, 0, None, orjson.dumps({"ts": NOW, **value}), {}, NOW)


def test_what_each_has_in_mind_of_a_user_and_of_nobody_else(tmp_path: Path) -> None:
    settings = replace(Settings(), data=tmp_path)
    assert read_uses(settings, [ANN]) == {}
    encoder = load_encoder(settings.encoder.model)
    rows = {
        "desk": [
            said(UseTopic.TEMPLATES, {"template_id": "t", "title": "Cards"}),
            said(UseTopic.QUESTIONS, {"question_id": "q", "user_id": "ann", "text": "my card?"}),
            said(UseTopic.QUESTIONS, {"question_id": "r", "user_id": "bob", "text": "his card?"}),
        ],
        "watch": [said(UseTopic.POSTS, {"post_id": "p", "user_id": "ann", "text": "rain again"})],
    }
    for name, some in rows.items():
        use = USES[name](settings, encoder.dimension)
        fold(use, encoder, NAMES, some, NOW)
        folder = use_folder(settings, name)
        folder.mkdir(parents=True)
        assert read_uses(settings, [ANN])[name] == {"checkpoint": None, "kept": []}
        place = LocalFolder(folder)
        checkpoint.save_checkpoint(place, {"none": np.zeros(1)}, {"use": {}})
        checkpoint.save_checkpoint(place, use.arrays(), {"use": dict(use.meta())})
    encoder.close()
    found = read_uses(settings, [ANN])
    assert found["desk"]["kept"] == [
        {"user": ANN, "question_id": "q", "text": "my card?", "template_id": None}
    ]
    [post] = found["watch"]["kept"]
    assert (post["user"], post["post_id"], post["text"]) == (ANN, "p", "rain again")
    assert found["watch"]["checkpoint"].endswith(".json")
    assert orjson.loads(orjson.dumps(found)) == found
    assert len(read_uses(settings, [ANN, BOB])["desk"]["kept"]) == 2
