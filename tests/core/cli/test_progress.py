"""What a person sees on stderr while a command works."""

from __future__ import annotations

import io
import itertools
import logging
import sys
import warnings

import pytest

from birefnet.cli.progress import say, talking, track


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_moves_within_an_item_and_ends_full(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    clock = itertools.count()
    monkeypatch.setattr("tqdm.std.time", lambda: float(next(clock)))  # every step is drawn
    for item, within in track(["a", "b"], unit="picture", name=str.upper):
        within(0.5)
        assert item in ("a", "b")
    frames = sys.stderr.getvalue().split("\r")
    shown = [frame.split("|")[-1].split()[0] for frame in frames if "picture" in frame]
    assert shown == sorted(shown), "the bar went back"
    assert "0.5/2" in shown
    assert shown[-1] == "2.0/2"
    assert any("B" in frame.split("]")[-1] for frame in frames)


def test_no_bar_is_drawn_into_a_log(capsys):
    for _, within in track([1], unit="picture", name=str):
        within(1.0)
    assert capsys.readouterr().err == ""


@pytest.mark.filterwarnings("default")
def test_log_and_warnings_become_plain_lines_while_a_command_runs(capsys):
    logger = logging.getLogger("birefnet.weights.load")
    with talking():
        logger.info("the facts")
        logger.warning("the consequence")
        warnings.warn("slow", UserWarning, stacklevel=1)
        say("done")
    logger.info("nobody listens")
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["the facts", "warning: the consequence", "warning: slow", "done"]


@pytest.mark.parametrize("level", [logging.NOTSET, logging.ERROR])
def test_the_loggers_level_is_restored(level):
    logger = logging.getLogger("birefnet")
    logger.setLevel(level)
    with talking():
        assert logger.level == logging.INFO
    assert logger.level == level
    logger.setLevel(logging.NOTSET)
