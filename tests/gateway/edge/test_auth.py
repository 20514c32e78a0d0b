"""Who is let in, as whom, and where nobody would keep others out."""

from __future__ import annotations

import pytest

from gateway.edge.auth import Gatekeeper, Role, check_listening, is_loopback
from tests.gateway.served import APP, OPERATOR
from upwell.errors import SettingsError
from upwell.secret import Secret
from upwell.settings import GatewaySettings

BOTH = GatewaySettings(app_token=Secret(APP), operator_token=Secret(OPERATOR))


@pytest.mark.parametrize(
    ("header", "role"),
    [
        (f"Bearer {APP}", Role.APP),
        (f"bearer {OPERATOR} ", Role.OPERATOR),
        (f"Bearer {APP}x", Role.NOBODY),
        (f"Bearer {APP[:-1]}", Role.NOBODY),
        (f"Basic {APP}", Role.NOBODY),
        (APP, Role.NOBODY),
        ("Bearer ", Role.NOBODY),
        (None, Role.NOBODY),
        ("Bearer \xff\xfe", Role.NOBODY),
    ],
)
def test_a_token_makes_the_role(header: str | None, role: Role) -> None:
    raw = None if header is None else header.encode("latin-1")
    assert Gatekeeper(BOTH).caller(raw, "10.0.0.9").role is role


def test_callers_are_told_apart_by_token_and_without_one_by_address() -> None:
    keeper = Gatekeeper(BOTH)
    token = f"Bearer {APP}".encode()
    assert keeper.caller(token, "a").name == keeper.caller(token, "b").name
    assert keeper.caller(None, "a").name != keeper.caller(None, "b").name
    assert keeper.caller(b"Bearer guess-1", "a").name == keeper.caller(b"Bearer guess-2", "a").name
    assert APP.encode() not in keeper.caller(token, "a").name


def test_several_tokens_of_a_role_hold_at_once() -> None:
    keeper = Gatekeeper(GatewaySettings(app_token=Secret(f"{APP}, another-one-of-16-c")))
    assert keeper.caller(b"Bearer another-one-of-16-c", "").role is Role.APP
    assert keeper.caller(f"Bearer {APP}".encode(), "").role is Role.APP


def test_a_token_has_the_name_before_its_colon() -> None:
    named = GatewaySettings(operator_token=Secret(f"ann:{OPERATOR}, {OPERATOR}-of-nobody"))
    keeper = Gatekeeper(named)
    found = keeper.caller(f"Bearer {OPERATOR}".encode(), "")
    assert (found.role, found.who) == (Role.OPERATOR, "ann")
    unnamed = keeper.caller(f"Bearer {OPERATOR}-of-nobody".encode(), "")
    assert (unnamed.role, unnamed.who) == (Role.OPERATOR, None)
    assert keeper.caller(b"Bearer ann", "").role is Role.NOBODY


def test_a_token_with_a_colon_from_before_there_were_names_still_holds() -> None:
    for old in (f"x:{OPERATOR}", "of:short-but-whole"):
        keeper = Gatekeeper(GatewaySettings(operator_token=Secret(old)))
        assert keeper.caller(f"Bearer {old}".encode(), "").role is Role.OPERATOR
    assert keeper.caller(b"Bearer short-but-whole", "").role is Role.NOBODY


def test_with_an_app_token_alone_nobody_is_an_operator() -> None:
    keeper = Gatekeeper(GatewaySettings(app_token=Secret(APP)))
    assert keeper.caller(b"Bearer " + OPERATOR.encode(), "").role is Role.NOBODY
    assert keeper.caller(None, "").role is Role.NOBODY


def test_without_tokens_everybody_is_an_operator() -> None:
    assert Gatekeeper(GatewaySettings()).caller(None, "127.0.0.1").role is Role.OPERATOR


@pytest.mark.parametrize("text", ["short", f"{APP},", "sixteen-and-mörë-characters"])
def test_a_token_that_keeps_nobody_out_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(SettingsError, match="UPWELL_GATEWAY_APP_TOKEN is not right") as caught:
        Gatekeeper(GatewaySettings(app_token=Secret(text)))
    assert text not in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "gateway.example"])  # noqa: S104
def test_an_open_gateway_listens_on_this_machine_alone(host: str) -> None:
    with pytest.raises(SettingsError, match=f"is to listen on {host}.*no token is set"):
        check_listening(host, Gatekeeper(GatewaySettings()))
    check_listening(host, Gatekeeper(BOTH))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.5", "::1", "localhost"])
def test_this_machine_needs_no_token(host: str) -> None:
    check_listening(host, Gatekeeper(GatewaySettings()))
    assert is_loopback(host)
