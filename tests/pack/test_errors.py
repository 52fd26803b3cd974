"""What reaches the user when something cannot work, and what happens when they stop a run."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

TINY = "tiny.safetensors"


def graph_of(**changes):
    """Load a model, take a picture of the tests, remove its background."""
    inputs = {"model": ["1", 0], "image": ["2", 0], **changes}
    return {
        "1": {"class_type": "BiRefNet_Load", "inputs": {"model": TINY, "dtype": "fp32"}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "photograph.png"}},
        "3": {"class_type": "BiRefNet_RemoveBackground", "inputs": inputs},
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}},
    }


def value(kind):
    return {"class_type": "TestValue", "inputs": {"kind": kind}}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("no pictures", ("at least one picture", "(0, 8, 8, 3)")),
        ("three axes", ("(batch, height, width", "(8, 8, 3)")),
        ("two channels", ("1, 3 or 4 channels", "(1, 8, 8, 2)")),
        ("text", ("must be an IMAGE", "got a str")),
    ],
)
def test_what_is_no_image_is_named(server, kind, words):
    result = server.run({**graph_of(), "2": value(kind)})
    assert result.status == "error"
    assert "ShapeError" in result.error
    for word in words:
        assert word in result.error


def test_what_is_no_model_is_named(server, photograph):
    result = server.run({**graph_of(), "1": value("not a model")})
    assert "ConfigError" in result.error
    assert "connect the output of Load BiRefNet" in result.error


@pytest.mark.parametrize("changes", [{"size_mode": "native"}, {"fit": "letterbox"}])
def test_options_that_comfyuis_own_model_cannot_follow_are_refused(server, photograph, changes):
    result = server.run({**graph_of(**changes), "1": value("old core model")})
    assert "ConfigError" in result.error
    assert "set size_mode to auto and fit to stretch" in result.error


def test_levels_in_the_wrong_order_are_refused(server, photograph):
    result = server.run(graph_of(black_point=0.6, white_point=0.4))
    assert "ConfigError" in result.error
    assert "black_point=0.6" in result.error


def test_a_color_that_is_none_is_refused(server, photograph):
    result = server.run(graph_of(background="color", color="transparentish"))
    assert "ConfigError" in result.error
    assert "#ffffff" in result.error


def test_a_socket_of_another_type_is_refused_before_the_run(server, photograph):
    message = server.refusal(graph_of(model=["2", 0]))
    assert "received_type(IMAGE) mismatch input_type(BACKGROUND_REMOVAL)" in message


def progress_of(listener, prompt_id, node):
    """Finished fractions of a node, as they come; ends with the graph."""
    for message in listener.messages():
        data = message["data"]
        if data.get("prompt_id") != prompt_id:
            continue
        if message["type"] == "progress_state" and node in data["nodes"]:
            state = data["nodes"][node]
            if state["max"]:
                yield state["value"] / state["max"]
        elif message["type"].startswith("execution_") and message["type"] not in (
            *("execution_start", "execution_cached"),
        ):
            return


def interrupted(server, graph, client):
    """Stop a graph as soon as its node "3" has done something; returns what was done by then."""
    with server.listen(client) as listener:
        prompt_id = server.queue(graph, client)
        done = next(f for f in progress_of(listener, prompt_id, "3") if 0 < f < 0.9)
        server.post("/interrupt", {"prompt_id": prompt_id})
        result = server.wait(prompt_id)
    kinds = [kind for kind, _ in result.messages]
    assert "execution_interrupted" in kinds
    assert "4" not in result.outputs
    return done


def test_a_batch_can_be_stopped_between_its_pictures_and_the_server_goes_on(server, photograph):
    graph = graph_of(image=["5", 0], size_mode="side", size=256)
    graph["5"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["2", 0], "amount": 400}}
    assert interrupted(server, graph, "batch") < 0.9
    assert server.run(graph_of()).status == "success"


def test_one_picture_can_be_stopped_inside_the_network(server, photograph):
    graph = graph_of(size_mode="side", size=1536)
    assert interrupted(server, graph, "one") < 0.9


def test_progress_grows_within_one_picture(server):
    server.picture("fresh.png", np.full((40, 40, 3), 77, np.uint8))
    graph = graph_of(size_mode="side", size=1024)
    graph["2"]["inputs"]["image"] = "fresh.png"
    with server.listen("progress") as listener:
        prompt_id = server.queue(graph, "progress")
        seen = list(progress_of(listener, prompt_id, "3"))
        assert server.wait(prompt_id).status == "success"
    assert all(first <= second for first, second in itertools.pairwise(seen))
    assert len(set(seen)) >= 4
    assert seen[-1] == 1
