"""vsc.cli.policy: a PIN policy in words."""

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.pin import CharacterRule, PinPolicy
from tests.unit.vsc.cli.shell import Shell
from vsc.cli.policy import PinPolicyType, parse_policy

WORDS = {
    "allowed": CharacterRule.ALLOW,
    "required": CharacterRule.REQUIRE_AT_LEAST_ONE,
    "disallowed": CharacterRule.DISALLOW,
}
CLASSES = {"uppercase": "uppercase", "lowercase": "lowercase", "digits": "digits", "specialchars": "special"}


@given(st.data())
def test_every_valid_policy_can_be_said(data: st.DataObject) -> None:
    low = data.draw(st.none() | st.integers(4, 127))
    high = data.draw(st.none() | st.integers(low or 8, 127))
    rules = data.draw(st.dictionaries(st.sampled_from(sorted(CLASSES)), st.sampled_from(sorted(WORDS))))
    words = [f"{name}={word}" for name, word in rules.items()]
    words += [f"minlen={low}"] * (low is not None) + [f"maxlen={high}"] * (high is not None)
    if not words or all(rules.get(name) == "disallowed" for name in CLASSES):
        return
    text = ",".join(data.draw(st.permutations(words)))
    policy = parse_policy(
        data.draw(st.sampled_from([text, text.upper(), text.replace(",", " , ").replace("=", " = ")]))
    )
    expected = {CLASSES[name]: WORDS[word] for name, word in rules.items()}
    lengths = {"min_length": low, "max_length": high}
    assert policy == PinPolicy(**{name: value for name, value in lengths.items() if value is not None}, **expected)  # type: ignore[arg-type]
    assert policy.other == CharacterRule.DISALLOW


REFUSED = {
    "": "'' is not understood",
    "minlen": "'minlen' is not understood",
    "minlen=": "'minlen=' is not understood",
    "minlen=six": "is not understood",
    "minlen=-6": "is not understood",
    "minlen=6.0": "is not understood",
    "minlen=²": "is not understood",
    "minlen=6,": "'' is not understood",
    "minlen=6;maxlen=8": "is not understood",
    "vowels=required": "'vowels=required' is not understood: minlen=N, maxlen=N, or one of uppercase",
    "digits=maybe": "'digits=maybe' is not understood",
    "digits=1": "is not understood",
    "other=allowed": "is not understood",
    "digits=required,digits=required": "digits is given twice",
    "digits=required,DIGITS=allowed": "digits is given twice",
    "minlen=6,minlen=7": "minlen is given twice",
    "minlen=3": "PIN lengths go from 4 to 127",
    "maxlen=128": "PIN lengths go from 4 to 127",
    "minlen=0": "PIN lengths go from 4 to 127",
    "minlen=9,maxlen=8": "the minimum length is above the maximum",
    "maxlen=7": "the minimum length is above the maximum",
    "uppercase=disallowed,lowercase=disallowed,digits=disallowed,specialchars=disallowed": "allows no PIN",
}


@pytest.mark.parametrize(("text", "error"), REFUSED.items(), ids=[one[:40] for one in REFUSED])
def test_what_is_no_policy_is_refused_and_says_why(shell: Shell, text: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        parse_policy(text)
    told = shell.fails(2, "create", "work", "--pin", "default", "--pin-policy", text)
    assert "Invalid value for '--pin-policy'" in told
    assert error in told


@given(st.text(max_size=60))
def test_any_text_is_a_policy_or_a_value_error(text: str) -> None:
    try:
        assert isinstance(parse_policy(text), PinPolicy)
    except ValueError:
        return


def test_a_policy_is_taken_as_it_is() -> None:
    policy = PinPolicy()
    assert PinPolicyType().convert(policy, None, None) is policy
    with pytest.raises(click.BadParameter):
        PinPolicyType().convert("nonsense", None, None)
