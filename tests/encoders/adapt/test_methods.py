from __future__ import annotations

import pytest
import torch
from transformers import BertConfig, BertModel

from encoders.adapt import Options, Schedule
from encoders.adapt import methods as methods_module
from encoders.adapt.methods import Method, adapted
from tests.encoders.tiny import message
from upwell.errors import EncoderError

IDS = torch.tensor([[101, 2000, 3000, 102]])


def encoder() -> torch.nn.Module:
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=4_000,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
    )
    model: torch.nn.Module = BertModel(config)  # type: ignore[no-untyped-call]
    model.eval()
    return model


def states(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=IDS, attention_mask=torch.ones_like(IDS))[0]
    return found


def train(method: Method, steps: int) -> None:
    optimizer = torch.optim.Adam(list(method.trained().values()), lr=0.05)
    for step in range(steps):
        out = method.model(input_ids=IDS, attention_mask=torch.ones_like(IDS))[0]
        loss = (out[..., 0] - 3.0).pow(2).mean() + method.penalty()
        loss.backward()
        optimizer.step()
        method.after_step(step)
        optimizer.zero_grad()


def options(method: str) -> Options:
    return Options(method, schedule=Schedule(steps=10))


@pytest.mark.parametrize("name", ["lora", "adalora", "ia3", "top:1"])
def test_what_was_trained_is_in_the_plain_weights(name: str) -> None:
    plain = encoder()
    before, names = states(plain), set(plain.state_dict())
    weights = sum(one.numel() for one in plain.parameters())
    method = adapted(plain, options(name))
    assert 0 < sum(one.numel() for one in method.trained().values()) < weights
    torch.testing.assert_close(states(method.model), before)  # it begins where the model was
    train(method, 10)
    method.model.eval()
    after = states(method.model)
    assert float((after - before).abs().max()) > 1e-3
    merged = method.merged()
    torch.testing.assert_close(states(merged), after, rtol=1e-4, atol=1e-5)
    assert set(merged.state_dict()) == names


def test_of_top_only_the_last_layers_move() -> None:
    model = encoder()
    adapted(model, options("top:2"))
    trained = {name for name, one in model.named_parameters() if one.requires_grad}
    assert trained
    assert all(".layer.1." in name or ".layer.2." in name for name in trained)
    why = message(lambda: adapted(encoder(), options("top:4")))
    assert why == "--method top:4: the model has 3 layers"


def test_a_prefix_is_trained_but_never_merged() -> None:
    method = adapted(encoder(), options("prefix"))
    before = states(method.model)
    train(method, 3)
    assert float((states(method.model) - before).abs().max()) > 1e-3
    assert "cannot become part" in message(method.merged)


def test_adalora_spends_its_ranks_and_remembers_how() -> None:
    method = adapted(encoder(), options("adalora"))
    train(method, 10)
    values = torch.cat([one for name, one in method.trained().items() if "lora_E" in name])
    assert 0 < int((values == 0).sum()) < len(values)  # some ranks were taken away
    other = adapted(encoder(), options("adalora"))
    other.recall(method.memory())
    assert other.memory().keys() == method.memory().keys()
    assert other.memory()["rank_pattern"] == method.memory()["rank_pattern"] != {}


def test_without_peft_the_package_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods_module, "find_spec", lambda _: None)
    why = message(lambda: adapted(encoder(), options("lora")))
    assert "pip install 'upwell[adapt]'" in why
    assert adapted(encoder(), options("top:1")).trained()


def test_a_family_that_peft_does_not_know_is_a_clear_error() -> None:
    with pytest.raises(EncoderError, match="peft cannot adapt a Sequential by ia3"):
        adapted(torch.nn.Sequential(torch.nn.Linear(2, 2)), options("ia3"))
