"""What users read on the nodes: English is the schemas' own, five languages translate all of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

LOCALES = Path(__file__).parents[2] / "locales"
TRANSLATIONS = ("zh", "ja", "ko", "fr", "ru")
SCRIPTS = {
    "zh": r"[\u4e00-\u9fff]",
    "ja": r"[\u3040-\u30ff\u4e00-\u9fff]",
    "ko": r"[\uac00-\ud7a3]",
    "ru": r"[\u0400-\u04ff]",
}
PROPER = {"ImageNet", "KNN", "fp32", "fp16", "bf16"}
"""Labels that are the same everywhere."""
ALSO_FRENCH = {
    *("image", "multiple", "points", "position", "transparent", "trimap", "epsilon"),
    *("pixels", "intersection"),
}
ENGLISH_WORDS = re.compile(r"\b(?:the|of|is|are|and|with|from|for|which|picture|subject)\b", re.I)
SYNTAX = re.compile(r"[{}@|]")
"""Older frontends compile translated texts as messages, where these mean something; newer ones
show most texts as they are, so that they cannot be escaped either."""


def read(language: str) -> dict:
    return json.loads((LOCALES / language / "nodeDefs.json").read_text(encoding="utf-8"))


def flat(texts: dict, *place: str) -> dict[tuple[str, ...], str]:
    """Every text by its place."""
    found = {}
    for key, value in texts.items():
        found |= flat(value, *place, key) if isinstance(value, dict) else {(*place, key): value}
    return found


def outside_quotes(text: str) -> str:
    """The text without the names of nodes and files, which stay as they are."""
    return re.sub(r"\S*[/_#.]\S+|\b(?:Hugging Face|Image(?:CompositeMasked)?)\b", " ", text)


def socket_names(english: dict, translated: dict, *nodes: str) -> dict[str, str]:
    """The translated name of each input and output; an input's if both have one id."""
    names = {}
    for node in nodes:
        for number, text in english[node]["outputs"].items():
            names[text["name"]] = translated[node]["outputs"][number]["name"]
        names |= {socket: text["name"] for socket, text in translated[node]["inputs"].items()}
    return names


@pytest.fixture(scope="module")
def english(schemas, nodes) -> dict:
    return schemas.english_texts(nodes)


def test_the_languages_are_these():
    assert {path.name for path in LOCALES.iterdir()} == {"en", *TRANSLATIONS}


def test_english_is_what_the_schemas_say(english):
    assert read("en") == english, "run `python tests/repo/schemas.py` and translate what changed"


@pytest.mark.parametrize("language", ["en", *TRANSLATIONS])
def test_files_are_utf8_without_mark_and_have_no_double_keys(language):
    def unique(pairs: list[tuple[str, object]]) -> dict:
        keys = [key for key, _ in pairs]
        assert sorted(set(keys)) == sorted(keys)
        return dict(pairs)

    for path in (LOCALES / language).iterdir():
        data = path.read_bytes()
        assert not data.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in data
        assert b"\\u" not in data
        json.loads(data.decode("utf-8"), object_pairs_hook=unique)


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_nothing_is_missing_and_nothing_is_left_over(language, english):
    assert flat(read(language)).keys() == flat(english).keys()


@pytest.mark.parametrize("language", ["en", *TRANSLATIONS])
def test_texts_are_shown_as_written(language):
    for place, text in flat(read(language)).items():
        assert text == text.strip() != "", place
        assert not SYNTAX.search(text), f"{place}: {text}"


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_nothing_is_left_in_english(language, english):
    translated = flat(read(language))
    for place, source in flat(english).items():
        text = translated[place]
        word = text.lower().replace(" (birefnet)", "")
        if text in PROPER or (language == "fr" and word in ALSO_FRENCH):
            continue
        assert text != source, place
        if language == "fr":
            if place[-1] == "tooltip":
                assert not ENGLISH_WORDS.search(outside_quotes(text)), f"{place}: {text}"
        else:
            assert re.search(SCRIPTS[language], text), f"{place}: {text}"


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_numbers_are_the_english_ones(language, english):
    def facts(text: str) -> Counter:
        text = re.sub(r"(\d+) ?[年년] ?\d+ ?[月월]", r"\1", text)  # where months are numbers
        return Counter(re.findall(r"#rrggbb|\d+(?:\.\d+)?%?", text))

    translated = flat(read(language))
    for place, source in flat(english).items():
        if place[-1] in ("tooltip", "description"):
            assert facts(translated[place]) == facts(source), f"{place}: {translated[place]}"


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_options_are_called_by_the_values_that_the_node_shows(language, english):
    translated = read(language)
    for node, texts in english.items():
        for socket, source in texts["inputs"].items():
            tooltip = translated[node]["inputs"][socket]["tooltip"]
            for value in source.get("options", ()):
                if f"{value}:" in source["tooltip"]:
                    assert value in tooltip, f"{node}.{socket}: {value}"


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_sockets_are_called_by_the_names_that_the_node_shows(language, english):
    translated = read(language)
    everywhere = socket_names(english, translated, *english)
    for node, texts in english.items():
        names = everywhere | socket_names(english, translated, node)
        for side in ("inputs", "outputs"):
            for socket, text in texts[side].items():
                tooltip = translated[node][side][socket]["tooltip"]
                for word in re.findall(r"`\w+`|\b[a-z]+(?:_[a-z]+)+\b", text["tooltip"]):
                    word = word.strip("`")
                    assert names.get(word, word) in tooltip, f"{node}.{socket}: {word}"


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_no_two_inputs_of_a_node_have_one_name(language):
    for node, texts in read(language).items():
        names = [text["name"] for text in texts["inputs"].values()]
        assert len(set(names)) == len(names), node


def test_one_word_has_one_translation():
    for language in TRANSLATIONS:
        names: dict[str, set[str]] = {}
        for texts in read(language).values():
            for socket, text in texts["inputs"].items():
                names.setdefault(socket, set()).add(text["name"])
        assert [name for name, found in names.items() if len(found) > 1] == [], language
