"""`SmartCardPinPolicy`: the one class of the core that a script makes itself."""

from typing import ClassVar

from card_os.pin import MAX_BYTES, MIN_BYTES, CharacterRule, PinPolicy
from vsc.winrt import hresult
from vsc.winrt.enums import SmartCardPinCharacterPolicyOption as Option
from vsc.winrt.errors import WinRTError
from vsc.winrt.projection import Object, RuntimeClass, enumerated, uint32


class _Constructible(RuntimeClass):
    def __call__(cls, *arguments: object, **named: object) -> object:
        if arguments or named:
            raise TypeError("SmartCardPinPolicy() takes no arguments")
        return type.__call__(cls)


class _Length:
    """A length in characters, 4 to 127. The minimum may be above the maximum for a moment: use is what checks that."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, policy: "SmartCardPinPolicy", owner: type) -> int:
        return policy._values[self._name]

    def __set__(self, policy: "SmartCardPinPolicy", value: int) -> None:
        if not MIN_BYTES <= uint32(value, self._name) <= MAX_BYTES:
            raise WinRTError(hresult.E_INVALIDARG, f"{self._name} goes from {MIN_BYTES} to {MAX_BYTES}")
        policy._values[self._name] = int(value)


class _Rule:
    """What is said of one class of characters."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, policy: "SmartCardPinPolicy", owner: type) -> Option:
        return Option(policy._values[self._name])

    def __set__(self, policy: "SmartCardPinPolicy", value: Option) -> None:
        policy._values[self._name] = enumerated(value, Option, self._name)


class SmartCardPinPolicy(Object, metaclass=_Constructible):
    """What a PIN must look like; of a new policy: 8 to 127 printable ASCII characters of any class, no blank."""

    _DEFAULTS: ClassVar = {
        "min_length": 8,
        "max_length": MAX_BYTES,
        "uppercase_letters": Option.ALLOW,
        "lowercase_letters": Option.ALLOW,
        "digits": Option.ALLOW,
        "special_characters": Option.ALLOW,
    }

    def __init__(self) -> None:
        self._values: dict[str, int] = dict(self._DEFAULTS)

    min_length = _Length()
    max_length = _Length()
    uppercase_letters = _Rule()
    lowercase_letters = _Rule()
    digits = _Rule()
    special_characters = _Rule()


def card_policy(policy: SmartCardPinPolicy) -> PinPolicy:
    """The policy as cards have it, with what it says at this moment. E_INVALIDARG for one that no PIN can meet."""
    values = dict(policy._values)
    try:
        return PinPolicy(
            min_length=values["min_length"],
            max_length=values["max_length"],
            uppercase=CharacterRule(values["uppercase_letters"]),
            lowercase=CharacterRule(values["lowercase_letters"]),
            digits=CharacterRule(values["digits"]),
            special=CharacterRule(values["special_characters"]),
        )
    except ValueError as error:
        raise WinRTError(hresult.E_INVALIDARG, str(error)) from None
