"""A PIN policy in words, as tpmvscmgr has them: `minlen=6,maxlen=12,digits=required,uppercase=disallowed`."""

import click

from card_os.pin import CharacterRule, PinPolicy

_LENGTHS = {"minlen": "min_length", "maxlen": "max_length"}
_CLASSES = {"uppercase": "uppercase", "lowercase": "lowercase", "digits": "digits", "specialchars": "special"}
_RULES = {
    "allowed": CharacterRule.ALLOW,
    "required": CharacterRule.REQUIRE_AT_LEAST_ONE,
    "disallowed": CharacterRule.DISALLOW,
}


class PinPolicyType(click.ParamType[PinPolicy]):
    """Reads a policy; what is not named has its default: 8 to 127 characters of any printable class but space."""

    name = "policy"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> PinPolicy:
        if isinstance(value, PinPolicy):
            return value
        try:
            return parse_policy(str(value))
        except ValueError as error:
            self.fail(f"{error}", param, ctx)


def parse_policy(text: str) -> PinPolicy:
    """Parses the words, in any case; ValueError, saying what is wrong, for anything else."""
    settings: dict[str, int | CharacterRule] = {}
    for word in text.lower().split(","):
        name, _, value = (part.strip() for part in word.partition("="))
        if name in _LENGTHS and value.isdecimal():
            field, setting = _LENGTHS[name], int(value)
        elif name in _CLASSES and value in _RULES:
            field, setting = _CLASSES[name], _RULES[value]
        else:
            raise ValueError(
                f"{word.strip()!r} is not understood: minlen=N, maxlen=N, or one of {', '.join(_CLASSES)} "
                "= allowed, required or disallowed"
            )
        if field in settings:
            raise ValueError(f"{name} is given twice")
        settings[field] = setting
    return PinPolicy(**settings)  # type: ignore[arg-type]
