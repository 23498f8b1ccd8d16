"""The administrator: proves the admin key in either form, and replaces it (gids.md 5.5 to 5.8).

A challenge is good for one response, right or wrong, and dies with any other command: whoever asks for one holds a
transaction until the response is in.
"""

from collections.abc import Callable

from card_os.apdu import ResponseApdu
from card_os.apps.gids.wire import ADMIN_KEY_ID, Crt, EfId, Ins, Tag
from card_os.sw import SW
from card_os.tlv import Tlv, join, parse_all
from card_os.wire import WireError
from vsc.errors import AdminKeyBlocked, AuthenticationRequired, UnsupportedCard, VscError, WrongAdminResponse
from vsc.host.challenge import (
    BLOCK_BYTES,
    RANDOM_BYTES,
    SECRET_BYTES,
    AdminKeyResponder,
    MutualChallenge,
    Responder,
    checked_key,
    key_check_value,
)
from vsc.host.exchange import Exchange, checked, refused
from vsc.host.gids.application import AdminForm, Application

_SET_FOR_AUTHENTICATION = 0xC100 | Crt.AUTHENTICATION
_CHALLENGE, _RESPONSE = 0x81, 0x82
MAX_RESPONSE_BYTES = 200
_NO_ADMIN_KEY = frozenset({SW.REFERENCE_NOT_FOUND, SW.FILE_NOT_FOUND, SW.FUNCTION_NOT_SUPPORTED})


class Admin:
    """The admin key of the selected application. random: gives that many random bytes."""

    def __init__(self, exchange: Exchange, application: Application, random: Callable[[int], bytes]) -> None:
        self._exchange = exchange
        self._application = application
        self._random = random
        self._open: bytes | MutualChallenge | None = None

    def challenge(self, form: AdminForm = AdminForm.AUTO) -> bytes:
        """Asks the card for a challenge; returns what is to be encrypted, 8 or (mutual form) 40 bytes.

        AdminKeyBlocked; UnsupportedCard if there is no admin key.
        """
        self._open = None
        form = self._application.form if form is AdminForm.AUTO else form
        with self._exchange.connection.transaction():
            self._choose_key()
            if form is AdminForm.MUTUAL:
                host = self._random(RANDOM_BYTES)
                card = self._general_authenticate(_CHALLENGE, host, RANDOM_BYTES)
                self._open = MutualChallenge(host, card, self._random(SECRET_BYTES))
                return self._open.plain
            self._open = self._general_authenticate(_CHALLENGE, b"", BLOCK_BYTES)
            return self._open

    def _choose_key(self) -> None:
        key = bytes(Tlv(0x83, bytes([ADMIN_KEY_ID])))
        answer = self._exchange.send(Ins.MANAGE_SECURITY_ENVIRONMENT, _SET_FOR_AUTHENTICATION, key)
        if answer.sw in _NO_ADMIN_KEY:
            raise UnsupportedCard("this card has no admin key")
        checked(answer, "choosing the admin key")

    def _general_authenticate(self, tag: int, value: bytes, size: int) -> bytes:
        """GENERAL AUTHENTICATE that asks; returns the value of the same tag, which must have that size."""
        answer = self._dialogue(tag, value, answers=True)
        if answer.sw == SW.AUTHENTICATION_METHOD_BLOCKED:
            raise AdminKeyBlocked
        found = _answered(checked(answer, "asking for a challenge"), tag)
        if len(found) != size:
            raise UnsupportedCard(f"the card's challenge has {len(found)} bytes instead of {size}")
        return found

    def _dialogue(self, tag: int, value: bytes, *, answers: bool) -> ResponseApdu:
        data = bytes(Tlv(Tag.DYNAMIC_AUTHENTICATION, bytes(Tlv(tag, value))))
        return self._exchange.send(Ins.GENERAL_AUTHENTICATE, 0x0000, data, answers=answers)

    def respond(self, response: bytes) -> bytes:
        """Sends the response to the challenge; the admin key is proved when this returns.

        Returns the card's own cryptogram (mutual form) or nothing. Without the key one cannot tell whether the card
        made it with the key: only that it is one. WrongAdminResponse, AdminKeyBlocked.
        """
        opened, self._open = self._open, None
        if opened is None:
            raise VscError("there is no challenge to respond to: ask for one first")
        if len(response) > MAX_RESPONSE_BYTES:
            raise WrongAdminResponse
        is_mutual = isinstance(opened, MutualChallenge)
        answer = self._dialogue(_RESPONSE, response, answers=is_mutual)
        size = len(opened.plain if isinstance(opened, MutualChallenge) else opened)
        _check_response(answer, is_whole=len(response) == size)
        if not is_mutual:
            return b""
        cryptogram = _answered(answer.data, _RESPONSE)
        if len(cryptogram) != size or cryptogram == response:
            raise VscError("the card took the response but gave none of its own")
        return cryptogram

    def authenticate(self, respond: Responder, form: AdminForm = AdminForm.AUTO) -> None:
        """Challenge and response in one. With an `AdminKeyResponder` the card's answer in the mutual form is checked.

        WrongAdminResponse, AdminKeyBlocked; VscError if the card itself cannot prove the key. What `respond` raises
        passes through, and then nothing is proved.
        """
        with self._exchange.connection.transaction():
            challenge = self.challenge(form)
            opened = self._open
            cryptogram = self.respond(respond(challenge))
            if not isinstance(opened, MutualChallenge) or not isinstance(respond, AdminKeyResponder):
                return
            if not respond.proves(opened, cryptogram):
                raise VscError("the card could not prove that it has the admin key itself: it is not to be trusted")

    def change_key(self, new: bytes) -> None:
        """PUT KEY: replaces the admin key; the old one has been proved. new: 24 bytes. AuthenticationRequired."""
        key = checked_key(new)
        value = join([Tlv(0x87, key), Tlv(0x88, key_check_value(key))])
        header = join([Tlv(0x84, bytes([ADMIN_KEY_ID])), Tlv(Tag.KEY_TEMPLATE, value)])
        answer = self._exchange.send(Ins.PUT_DATA, EfId.ADF, bytes(Tlv(Tag.EXTENDED_HEADER, header)))
        if answer.sw == SW.SECURITY_STATUS_NOT_SATISFIED:
            raise AuthenticationRequired("changing the admin key", right="the present admin key")
        checked(answer, "changing the admin key")


def _answered(raw: bytes, tag: int) -> bytes:
    """Returns the value of an object in 7C; empty if it is not there."""
    try:
        outer = {one.tag: one.value for one in parse_all(raw)}
        inner = {one.tag: one.value for one in parse_all(outer.get(Tag.DYNAMIC_AUTHENTICATION, b""))}
    except WireError:
        return b""
    return inner.get(tag, b"")


def _check_response(answer: ResponseApdu, *, is_whole: bool) -> None:
    """A wrong response is 6982; one of a wrong length may also be a wrong data field or length."""
    if answer.sw == SW.OK:
        return
    if answer.sw == SW.AUTHENTICATION_METHOD_BLOCKED:
        raise AdminKeyBlocked
    if answer.sw == SW.SECURITY_STATUS_NOT_SATISFIED or answer.sw >> 4 == 0x63C or not is_whole:
        raise WrongAdminResponse
    raise refused(answer.sw, "the response to the challenge")
