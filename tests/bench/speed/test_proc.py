from __future__ import annotations

import os

from bench.speed.idle import role_of
from bench.speed.proc import memory_mb, parsed_memory, parsed_ticks, tree


def test_ticks_are_found_behind_a_name_with_spaces_and_brackets() -> None:
    stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 123 45 6 7 20 0 9 0 1 2 3"
    assert parsed_ticks(stat) == 168


def test_memory_is_of_the_whole_process_in_millions_of_bytes() -> None:
    rollup = "0-7 [rollup]\nRss: 1000 kB\nPss: 500 kB\nPss_Dirty: 9 kB\nAnonymous: 250 kB\n"
    assert parsed_memory(rollup) == {"Rss": 1.0, "Pss": 0.5, "Anonymous": 0.3}


def test_this_process_is_seen() -> None:
    assert memory_mb(os.getpid())["Rss"] > 1.0
    assert os.getpid() in tree(os.getpid())


def test_processes_are_known_by_their_command_lines() -> None:
    java = "/usr/bin/java"
    assert (
        role_of(["python", "-I", "/x/infra/guardian.py", "20", java, "kafka.Kafka"]) == "guardian"
    )
    assert role_of([java, "kafka.Kafka", "x.properties"]) == "broker"
    assert role_of(["python", "-P", "-m", "upwell", "learn"]) == "learn"
    assert role_of([]) == "other"
