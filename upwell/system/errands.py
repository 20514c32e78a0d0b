"""What a command asks of the process that owns a folder, by a file there, and its answer.

    NAME-ID.ask    JSON: id, until (UTC ms), and what is asked; removed with the answer
    NAME.answer    JSON: id, error (text, or null)

Both are written whole. An owner that falls in between finds the question again when it starts; what
nobody waits for any more is removed unanswered.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from upwell.system.clock import now_ms
from upwell.system.files import write_whole

__all__ = ["answer_errand", "ask"]

TICK_SECONDS = 0.05


def ask(folder: Path, name: str, asked: Mapping[str, Any], seconds: float) -> str | None:
    """Waits for the owner of `folder`; what went wrong there in words, None where nothing did. One
    asks at a time.

    Raises `TimeoutError` where no owner answers, `OSError`.
    """
    own, deadline = uuid.uuid4().hex, time.monotonic() + seconds
    question, answer = folder / f"{name}-{own}.ask", folder / f"{name}.answer"
    until = now_ms() + int(1000 * seconds)
    write_whole(question, json.dumps({"id": own, "until": until, **asked}).encode())
    try:
        while time.monotonic() < deadline:
            found = _read(answer)
            if found is not None and found["id"] == own:
                return None if found["error"] is None else str(found["error"])
            time.sleep(TICK_SECONDS)
    finally:
        question.unlink(missing_ok=True)
        answer.unlink(missing_ok=True)
    raise TimeoutError(f"nobody answered on {folder} within {seconds:.0f} s")


def answer_errand(
    folder: Path,
    name: str,
    work: Callable[[Mapping[str, Any]], None],
    answers: type[BaseException] | tuple[type[BaseException], ...],
) -> bool:
    """In the owner: does what is asked, if anything is; whether something was. An exception of
    `answers` is the answer.

    Raises `OSError` where the folder cannot be written.
    """
    question = _question(folder, name)
    asked = None if question is None else _read(question)
    if question is None or asked is None:
        return False
    if asked["until"] >= now_ms():
        error = None
        try:
            work(asked)
        except answers as exc:
            error = str(exc)
        write_whole(
            folder / f"{name}.answer", json.dumps({"id": asked["id"], "error": error}).encode()
        )
    question.unlink(missing_ok=True)
    return True


def _question(folder: Path, name: str) -> Path | None:
    """One file a question: while this one is done its asker may be killed, and another ask. An
    owner looks between all its batches, so not by `Path.glob`, which took a tenth of their time.
    """
    try:
        found = os.listdir(folder)
    except FileNotFoundError:
        return None
    for one in found:
        if one.startswith(f"{name}-") and one.endswith(".ask"):
            return folder / one
    return None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return found
