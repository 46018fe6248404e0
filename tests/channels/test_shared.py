"""Connections of a process, and where the channels are found."""

import gc
import os

import pytest

import channels
from channels._shared import PerProcess


def test_every_module_without_an_underscore_is_a_channel() -> None:
    found = channels.discover()
    assert {"push", "sms", "phone", "email", "http_post"} <= found.keys()
    assert all(kind == module.KIND for kind, module in found.items())


def test_a_connection_is_made_once_and_closed_with_its_owner() -> None:
    closed: list[str] = []
    owner = PerProcess(lambda: "connection", closed.append)
    assert owner.get() is owner.get()
    assert closed == []
    del owner
    gc.collect()
    assert closed == ["connection"]


def test_after_a_fork_the_child_makes_its_own_and_leaves_the_parents_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    closed: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    owner = PerProcess(make, closed.append)
    of_parent = owner.get()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    of_child = owner.get()
    assert of_child is not of_parent
    del owner
    gc.collect()
    assert closed == [of_child]
