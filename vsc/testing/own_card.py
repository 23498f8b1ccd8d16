"""What a card of one's own is made of, from one module (docs/own-card.md).

from vsc.testing.own_card import ANYBODY, SW, Application, Atr, CardError, Command, Profile, SoftCard, SystemEnv
"""

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.application import Application
from card_os.atr import Atr, Interface
from card_os.class_byte import Classes
from card_os.command import ANYBODY, TRIES_LEFT, Access, Command, Session
from card_os.fact import Fact, Kind
from card_os.pin import Pin, PinPolicy, check_new, verify
from card_os.secret import Secret
from card_os.sw import SW, CardError
from card_os.tlv import Tlv
from vsc.profiles import Profile
from vsc.profiles.profile import Recipe
from vsc.testing.card import SoftCard
from vsc.world import SystemEnv

__all__ = [
    "ANYBODY",
    "SW",
    "TRIES_LEFT",
    "Access",
    "Application",
    "Atr",
    "CardError",
    "Classes",
    "Command",
    "CommandApdu",
    "Fact",
    "Interface",
    "Kind",
    "Pin",
    "PinPolicy",
    "Profile",
    "Recipe",
    "ResponseApdu",
    "Secret",
    "Session",
    "SoftCard",
    "SystemEnv",
    "Tlv",
    "check_new",
    "verify",
]
