"""vsc.testing.own_card: nothing that it does not tell of."""

from vsc.testing import own_card


def test_what_it_tells_of_is_there_and_nothing_else() -> None:
    # pytest, which rewrites asserts here, adds names with an @.
    assert {name for name in vars(own_card) if not name.startswith(("_", "@"))} == set(own_card.__all__)
