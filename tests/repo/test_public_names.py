"""The names a caller may rely on, in a file that only a deliberate edit changes."""

from __future__ import annotations

import inspect
from pathlib import Path

import birefnet

CONTRACT = Path(__file__).with_name("public_names.txt")


def test_the_public_names_are_the_contracts():
    assert sorted(birefnet.__all__) == CONTRACT.read_text(encoding="utf-8").split()


def test_every_public_name_is_there_and_documented():
    for name in birefnet.__all__:
        thing = getattr(birefnet, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), f"birefnet.{name} has no docstring"
