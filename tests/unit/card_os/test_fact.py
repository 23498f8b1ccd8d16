"""Facts: what an application keeps, for people and for programs."""

from card_os.fact import Fact, Kind, by_name, described


def test_a_fact_shows_what_may_be_seen_and_nothing_else() -> None:
    fact = Fact(Kind.SECRET, "PIN", b"1234")
    assert "1234" not in repr(fact)
    assert fact == Fact(Kind.SECRET, "PIN", b"1234") != Fact(Kind.SECRET, "PIN", b"4321")


def test_any_description_becomes_facts_leaf_by_leaf() -> None:
    description = {
        "state": "open",
        "pin": {"tries_left": 3, "try_limit": 5, "value": "31323334", "is_set": True},
        "files": [{"efid": "A000", "content": ["00", "01"]}, {"efid": "A010", "content": []}],
        "policy": None,
        "serial": 4711,
    }
    found = {fact.name: (fact.kind, fact.value, fact.shown) for fact in described(description)}
    assert found == {
        "state": (Kind.RULE, "open", ""),
        "pin tries": (Kind.COUNTER, 3, "3"),
        "pin try limit": (Kind.RULE, 5, "5"),
        "pin value": (Kind.RULE, "31323334", ""),
        "pin is set": (Kind.RULE, True, "True"),
        "files 1 efid": (Kind.RULE, "A000", ""),
        "files 1 content": (Kind.OBJECT, ("00", "01"), ""),
        "files 2 efid": (Kind.RULE, "A010", ""),
        "files 2 content": (Kind.OBJECT, (), ""),
        "policy": (Kind.RULE, None, ""),
        "serial": (Kind.RULE, 4711, ""),
    }


def test_facts_are_found_by_name() -> None:
    facts = list(described({"a": "1", "b": "2"}))
    assert by_name(facts) == {"a": facts[0], "b": facts[1]}
