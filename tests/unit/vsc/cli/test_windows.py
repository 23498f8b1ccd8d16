"""vsc.cli.windows: options as Windows' tools take them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsc.cli.windows import Takes, parse

TABLE = {"name": Takes.ONE, "policy": Takes.MANY, "quiet": Takes.NOTHING, "?": Takes.NOTHING}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", {}),
        ("/name x", {"name": ("x",)}),
        ("/NAME x /Quiet", {"name": ("x",), "quiet": ()}),
        ("/policy a 1 B 2 /name X", {"policy": ("a", "1", "B", "2"), "name": ("X",)}),
        ("/name /tmp/x", {"name": ("/tmp/x",)}),
        ("/?", {"?": ()}),
    ],
)
def test_what_is_understood(words: str, found: dict[str, tuple[str, ...]]) -> None:
    assert parse(words.split(), TABLE) == found


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("x", "options are /name, /policy, /quiet, /?"),
        ("/nome x", "options are /name"),
        ("name x", "options are /name"),
        ("--name x", "options are /name"),
        ("/name x y", "options are /name"),
        ("/quiet yes", "options are /name"),
        ("/name x /NAME y", "/name is given twice"),
        ("/name", "/name needs a value"),
        ("/name /quiet", "/name needs a value"),
        ("/policy /quiet", "/policy needs a value"),
    ],
)
def test_what_is_not(words: str, text: str) -> None:
    with pytest.raises(ValueError, match=text.replace("?", "[?]")):
        parse(words.split(), TABLE)


SAID = st.fixed_dictionaries(
    {},
    optional={
        "name": st.tuples(st.text()),
        "policy": st.lists(st.text(), min_size=1).map(tuple),
        "quiet": st.just(()),
        "?": st.just(()),
    },
)


@given(SAID, st.randoms(use_true_random=False))
def test_what_is_said_is_found_in_any_order_and_case(said: dict[str, tuple[str, ...]], random: object) -> None:
    options = [option for option, values in said.items() if not any(value.startswith("/") for value in values)]
    random.shuffle(options)  # type: ignore[attr-defined]
    words = [word for option in options for word in (f"/{option.upper()}", *said[option])]
    assert parse(words, TABLE) == {option: said[option] for option in options}


@given(st.lists(st.text() | st.sampled_from(["/name", "/policy", "/quiet", "/?"])))
def test_any_words_are_read_or_refused(words: list[str]) -> None:
    try:
        found = parse(words, TABLE)
    except ValueError:
        return
    assert sum(1 + len(values) for values in found.values()) == len(words)
