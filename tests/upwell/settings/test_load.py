"""Variables and files in, settings or one clear line out."""

from __future__ import annotations

from pathlib import Path

import pytest

from upwell.errors import SettingsError
from upwell.secret import Secret
from upwell.settings import (
    Settings,
    describe_settings,
    load_settings,
)

KEY = "ab" * 32


def test_defaults_and_an_empty_variable_is_unset() -> None:
    assert (
        load_settings({})
        == Settings()
        == load_settings({"UPWELL_KAFKA": "", "PATH": "/bin", "UPWELL_CACHE": "x"})
    )


def test_variables_over_the_file_over_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "upwell.toml"
    file.write_text(
        'data = "d"\n[kafka]\naddress = "a:1"\npartitions = 8\n'
        "[learner]\ncold_item_weight = 3\nfused = false\n"
    )
    settings = load_settings(
        {"UPWELL_KAFKA": "b:2,c:3", "UPWELL_TEST_SAMPLE": "0.5", "UPWELL_STORE": "memory"}, file
    )
    assert (settings.kafka.address, settings.kafka.partitions, settings.kafka.prefix) == (
        "b:2,c:3",
        8,
        "upwell.",
    )
    assert (
        settings.learner.cold_item_weight,
        settings.learner.test_sample,
        settings.learner.fused,
    ) == (3.0, 0.5, False)
    assert (settings.data, settings.store.kind) == (Path("d"), "memory")


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"UPWELL_KAKFA": "a:1"}, "UPWELL_KAKFA; did you mean UPWELL_KAFKA?"),
        ({"UPWELL_LISTK": "5"}, "did you mean UPWELL_LIST_K?"),
        ({"UPWELL_LIST_K": "ten"}, "UPWELL_LIST_K is 'ten': must be a whole number"),
        ({"UPWELL_LIST_K": "101"}, "UPWELL_LIST_K is 101: must be at least 1 and at most 100"),
        ({"UPWELL_TEST_SAMPLE": "nan"}, "UPWELL_TEST_SAMPLE is nan"),
        ({"UPWELL_STORE": "redis"}, "must be one of memory, edge, server"),
        ({"UPWELL_FUSED": "maybe"}, "must be on or off"),
        ({"UPWELL_KAFKA": "localhost"}, "must be host:port"),
        ({"UPWELL_KAFKA": "kafka://localhost:9092"}, "must be host:port"),
        ({"UPWELL_STORE": "server"}, "set UPWELL_QDRANT_URL"),
        ({"UPWELL_MODELS": "sftp://ann:dull@far/models"}, "UPWELL_MODELS holds a password"),
        ({"UPWELL_INSTANCE": "learn"}, "UPWELL_INSTANCE is learn: that is the learner's name"),
        ({"UPWELL_TRACK": "runs"}, "must be tensorboard:FOLDER, mlflow:FOLDER or wandb:FOLDER"),
        (
            {"UPWELL_QDRANT_URL": "http://ann:dull@far:6333"},
            "UPWELL_QDRANT_URL holds a user or a password",
        ),
        (
            {"UPWELL_QDRANT_URL": "ann:dull@far:6333"},
            "UPWELL_QDRANT_URL holds a user or a password",
        ),
        (
            {"UPWELL_KAFKA": "kafka://ann:dull@far:9092"},
            "UPWELL_KAFKA is 'kafka://…@far:9092': must be host:port",
        ),
        ({"UPWELL_SECURITY_PROTOCOL": "SASL_SSL"}, "UPWELL_SASL_USERNAME"),
        ({"UPWELL_KEY": "dull"}, "UPWELL_KEY is not right: must be hexadecimal, 64 digits or more"),
    ],
)
def test_wrong_values_are_named_with_what_would_be_right(
    environ: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    assert message in str(caught.value)
    assert "dull" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[kafka]\npartition = 4\n", "did you mean kafka.partitions?"),
        ("[learner]\nseed = true\n", "must be a whole number"),
        ("[stream]\nlist_k = 5.5\n", "must be a whole number"),
        ("[kafka]\naddress = 9092\n", "must be a text"),
        ("kafka = \n", "is no TOML"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "upwell.toml"
    file.write_text(content)
    with pytest.raises(SettingsError) as caught:
        load_settings({}, file)
    assert message in str(caught.value)
    assert str(file) in str(caught.value)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings({}, tmp_path / "none.toml")


def test_secrets_never_print() -> None:
    environ = {"UPWELL_KEY": KEY, "UPWELL_QDRANT_API_KEY": "hush", "UPWELL_SASL_PASSWORD": "hush"}
    settings = load_settings(environ)
    assert settings.privacy.key == Secret(KEY)
    assert settings.store.api_key is not None
    assert settings.store.api_key.reveal() == "hush"
    shown = (
        repr(settings)
        + str(settings)
        + str(list(describe_settings(settings)))
        + f"{settings.store.api_key}"
    )
    assert "hush" not in shown
    assert KEY not in shown
    with pytest.raises(TypeError, match="not written anywhere"):
        settings.privacy.key.__reduce__()


def test_the_description_names_every_setting_once() -> None:
    rows = list(describe_settings(load_settings({"UPWELL_LIST_K": "12"})))
    names = [name for name, _, _ in rows]
    assert len(names) == len(set(names))
    assert ("UPWELL_LIST_K", "12", "set") in rows
    assert ("UPWELL_KAFKA", "–", "default") in rows


def test_what_would_be_right_has_its_unit() -> None:
    with pytest.raises(SettingsError, match=r"must be at least 1 \(ms\)$"):
        load_settings({"UPWELL_PUBLISH_MS": "0"})
    with pytest.raises(SettingsError, match=r"at least 100 and at most 1000000 \(items\)$"):
        load_settings({"UPWELL_HAD": "1"})


def test_who_learns_once_more_has_no_budget_of_privacy() -> None:
    """It would be spent a second time."""
    assert load_settings({"UPWELL_RELEARN": "3"}).learner.relearn == 3
    assert load_settings({}).learner.relearn == 0
    with pytest.raises(SettingsError, match="UPWELL_RELEARN learns once more of all users"):
        load_settings({"UPWELL_RELEARN": "1", "UPWELL_PRIVATE_EPSILON": "8"})
    for wrong in ({"UPWELL_RELEARN": "-1"}, {"UPWELL_RELEARN_REACH": "1.1"}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            load_settings(wrong)
