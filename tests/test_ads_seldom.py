"""Warnings of the server: thousands of a kind a second are one line, and how many they were is said."""

from __future__ import annotations

import logging

from falsework.ads.server.seldom import Seldom


def line(words: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("falsework", logging.WARNING, "", 0, words, arguments, None)


def test_one_line_of_a_kind_is_let_through_and_the_rest_are_counted() -> None:
    now = [100.0]
    seldom = Seldom(10.0, lambda: now[0])
    assert seldom.filter(line("a request: %s", "cb"))
    assert not any(seldom.filter(line("a request: %s", each)) for each in range(2_000))
    assert seldom.filter(line("another matter"))
    now[0] += 10.0
    later = line("a request: %s", "cb")
    assert seldom.filter(later)
    assert later.getMessage() == "a request: cb (and 2000 more such lines since the last)"
    now[0] += 10.0
    alone = line("a request: %s", "cb")
    assert seldom.filter(alone)
    assert alone.getMessage() == "a request: cb"
