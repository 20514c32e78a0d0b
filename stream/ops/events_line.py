"""The doctor's line on the events: which of them serve will not come to, or will read once more."""

from __future__ import annotations

from stream.broker.incarnations import incarnations_of, made_anew_since
from stream.broker.lag import INPUT_TOPICS, Lag
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import Settings

__all__ = ["events_line"]


def events_line(settings: Settings) -> str:
    """How many wait; a warning where topics were made anew, or records removed unread. Raises
    `BrokerError`.
    """
    client, prefix = client_options(settings.kafka), settings.kafka.prefix
    ids = incarnations_of(client, prefix, (*INPUT_TOPICS, Topic.CATALOGUE))
    if len(ids) <= len(INPUT_TOPICS):
        return "their topics are not all there yet; `upwell run` makes them"
    warnings = []
    if made_anew := made_anew_since(prefix, ids, settings.data):
        warnings.append(
            f"{', '.join(prefix + topic for topic in made_anew)} made anew since serve's last "
            "start: read from their beginning at the next"
        )
    with Lag(client, prefix) as lag:
        if removed := sum(lag.removed_unread().values()):
            warnings.append(
                f"up to {removed} were removed, by retention or by hand, before serve read them: "
                "they are lost"
            )
        waiting = f"{lag.behind()} wait for serve"
    return f"warning: {'; '.join(warnings)}; {waiting}" if warnings else waiting
