"""A handler with its docstring is a call."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gateway.calls.call import call
from gateway.edge.auth import Role
from gateway.parts import Parts


def test_a_handler_is_named_and_told_by_itself() -> None:
    @call("GET", "/v1/old-lists", answers={200: ("them", None)})
    async def find_old_lists(parts: Parts, request: Request) -> Response:
        """Lists that are long
        gone.

        Not of this.
        """
        return Response()

    assert (find_old_lists.name, find_old_lists.does) == (
        "findOldLists",
        "Lists that are long gone",
    )
    assert find_old_lists.role is Role.APP
    assert (find_old_lists.query, find_old_lists.body) == ((), {})
