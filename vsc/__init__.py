"""vsc, the software virtual smart card: what people touch.

    import vsc
    with vsc.create("work", pin="12345678", policy=vsc.PinPolicy(min_length=6)) as card:
        card.change_pin(old="12345678", new="24681357")
    vsc.open("work").reset_pin(new="12345678", admin_key=card.admin_key)

The card itself is `card_os`, the wire to vsmartcard's vpcd is `vpcd_bridge`; nothing there imports this package.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from card_os.pin import CharacterRule, PinPolicy
    from vsc.api.card import Card, VirtualCard
    from vsc.api.challenge import AdminChallenge
    from vsc.api.provisioning import (
        Events,
        cards,
        create,
        create_blank,
        events,
        open,  # noqa: A004
        readers,
        temporary_card,
        watch,
    )
    from vsc.errors import (
        AdminKeyBlocked,
        AuthenticationRequired,
        Cancelled,
        CardExistsError,
        CardInUseError,
        CardLocked,
        CardNotFoundError,
        CardRemoved,
        CardUnresponsive,
        CardWasReset,
        ChallengeUsed,
        FillingError,
        ImageError,
        KeyMismatch,
        LostCardError,
        MaterialError,
        NoPcscError,
        PinBlocked,
        PinPolicyViolation,
        ReaderNotFoundError,
        RefusedError,
        SharingViolation,
        UnexpectedStatus,
        UnsupportedCard,
        UnsupportedKey,
        UnsupportedOption,
        VscError,
        WrongAdminResponse,
        WrongPassword,
        WrongPin,
    )
    from vsc.factory import admin_key_of, powered
    from vsc.host.challenge import calculate_response
    from vsc.interaction import (
        NobodyToAsk,
        PinScript,
        Question,
        QuestionKind,
        ScriptExhausted,
        UserInteraction,
        set_user_interaction,
        user_interaction,
    )
    from vsc.machine.port import Change, ChangeKind

__all__ = [
    "AdminChallenge",
    "AdminKeyBlocked",
    "AuthenticationRequired",
    "Cancelled",
    "Card",
    "CardExistsError",
    "CardInUseError",
    "CardLocked",
    "CardNotFoundError",
    "CardRemoved",
    "CardUnresponsive",
    "CardWasReset",
    "ChallengeUsed",
    "Change",
    "ChangeKind",
    "CharacterRule",
    "Events",
    "FillingError",
    "ImageError",
    "KeyMismatch",
    "LostCardError",
    "MaterialError",
    "NoPcscError",
    "NobodyToAsk",
    "PinBlocked",
    "PinPolicy",
    "PinPolicyViolation",
    "PinScript",
    "Question",
    "QuestionKind",
    "ReaderNotFoundError",
    "RefusedError",
    "ScriptExhausted",
    "SharingViolation",
    "UnexpectedStatus",
    "UnsupportedCard",
    "UnsupportedKey",
    "UnsupportedOption",
    "UserInteraction",
    "VirtualCard",
    "VscError",
    "WrongAdminResponse",
    "WrongPassword",
    "WrongPin",
    "admin_key_of",
    "calculate_response",
    "cards",
    "create",
    "create_blank",
    "events",
    "open",
    "powered",
    "readers",
    "set_user_interaction",
    "temporary_card",
    "user_interaction",
    "watch",
]

# Module -> the names that come from it. Whatever is not named in the first ones is in `vsc.errors`.
_SOURCES = {
    "card_os.pin": ("CharacterRule", "PinPolicy"),
    "vsc.api.card": ("Card", "VirtualCard"),
    "vsc.factory": ("admin_key_of", "powered"),
    "vsc.api.challenge": ("AdminChallenge",),
    "vsc.host.challenge": ("calculate_response",),
    "vsc.interaction": (
        "NobodyToAsk",
        "PinScript",
        "Question",
        "QuestionKind",
        "ScriptExhausted",
        "UserInteraction",
        "set_user_interaction",
        "user_interaction",
    ),
    "vsc.machine.port": ("Change", "ChangeKind"),
    "vsc.api.provisioning": (
        "Events",
        "cards",
        "create",
        "create_blank",
        "events",
        "open",
        "readers",
        "temporary_card",
        "watch",
    ),
}


def __getattr__(name: str) -> object:
    # Public names are imported when they are first used: `vsc --help` needs none of them, and cryptography is slow.
    if name in __all__:
        source = next((module for module, names in _SOURCES.items() if name in names), "vsc.errors")
        return getattr(import_module(source), name)
    raise AttributeError(f"module 'vsc' has no attribute {name!r}")
