#!/usr/bin/env python3
"""Logs a person in with a smart card: any GIDS card, in any PC/SC reader.

    login.py --ca ca.pem                 checks the PIN, and that card and certificate belong together
    login.py --ca ca.pem --change-pin    does so, and gives the card a new PIN

PINs come from LOGIN_PIN and LOGIN_NEW_PIN, else from the terminal or, a line each, from standard input. What went
wrong is one line on stderr, and an exit code (`Exit`).
"""

import argparse
import getpass
import hashlib
import os
import secrets
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from smartcard import scard

ATTEMPTS = 3
GIDS = bytes.fromhex("A00000039742544659")
FIRST_KEY_ID = 0x81
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")  # What PKCS#1 puts before a SHA-256 digest.
Exit = IntEnum("Exit", "OK DENIED USAGE WRONG_PIN BLOCKED POLICY REMOVED BUSY TIMEOUT NO_READER CARD", start=0)


class LoginError(Exception):
    """Why nobody logs in."""

    def __init__(self, code: Exit, text: str) -> None:
        super().__init__(text)
        self.code = code


class CardReset(LoginError):
    """Another program reset the card: what was verified is forgotten, and the command was not sent."""


class CardLost(LoginError):
    """There is no knowing whether the card has carried out the last command."""


REMOVED = CardLost, Exit.REMOVED, "the card was taken out"
MUTE = CardLost, Exit.CARD, "the card does not answer"
GONE = CardLost, Exit.NO_READER, "the reader or the PC/SC service is gone"
PCSC_ERRORS = {
    scard.SCARD_W_REMOVED_CARD: REMOVED,
    scard.SCARD_E_NO_SMARTCARD: REMOVED,
    scard.SCARD_W_RESET_CARD: (CardReset, Exit.BUSY, "another program keeps resetting the card"),
    scard.SCARD_E_SHARING_VIOLATION: (LoginError, Exit.BUSY, "another program has the card for itself"),
    scard.SCARD_W_UNPOWERED_CARD: MUTE,
    scard.SCARD_W_UNRESPONSIVE_CARD: MUTE,
    scard.SCARD_E_NOT_TRANSACTED: MUTE,
    scard.SCARD_F_COMM_ERROR: GONE,
    scard.SCARD_E_UNKNOWN_READER: GONE,
    scard.SCARD_E_READER_UNAVAILABLE: GONE,
    scard.SCARD_E_NO_SERVICE: GONE,
    scard.SCARD_E_SERVICE_STOPPED: GONE,
}


def check(result: int) -> None:
    """Raises what a PC/SC error means here."""
    if result != scard.SCARD_S_SUCCESS:
        other = CardLost, Exit.CARD, f"PC/SC failed: {scard.SCardGetErrorMessage(result)}"
        kind, code, text = PCSC_ERRORS.get(result, other)
        raise kind(code, text)


class Card:
    """A connected card. deadline: when we give up, in seconds of time.monotonic."""

    def __init__(self, handle: int, protocol: int, deadline: float) -> None:
        self._handle, self._deadline = handle, deadline
        self._pci = scard.SCARD_PCI_T0 if protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1

    def send(self, header: str, data: bytes = b"", le: bytes = b"") -> tuple[bytes, int]:
        """Sends a command; returns all of the answer, and the status word."""
        answer, sw = self._transmit(bytes.fromhex(header) + bytes([len(data)]) + data + le)
        while sw >> 8 == 0x61:
            more, sw = self._transmit(bytes.fromhex("00C00000") + bytes([sw & 0xFF]))
            answer += more
        return answer, sw

    def read(self, file: int, tag: int) -> bytes:
        """Returns what is in a data object (GET DATA), empty if it is not there."""
        answer, sw = self.send(f"00CB{file:04X}", b"\x5c\x02" + tag.to_bytes(2, "big"), b"\x00")
        bytes_of_length = answer[2] - 0x7F if sw == 0x9000 and answer[2] > 0x7F else 1
        return answer[2 + bytes_of_length :] if sw == 0x9000 else b""

    def _transmit(self, command: bytes) -> tuple[bytes, int]:
        result, raw = scard.SCardTransmit(self._handle, self._pci, list(command))
        check(result if len(raw) >= 2 or result else scard.SCARD_E_NOT_TRANSACTED)  # Some drivers say it so.
        if time.monotonic() > self._deadline:  # PC/SC cannot interrupt a card: we look afterwards.
            raise CardLost(Exit.TIMEOUT, "the card is too slow")
        return bytes(raw[:-2]), int.from_bytes(raw[-2:], "big")


def wait_for_card(context: int, deadline: float) -> str:
    """Returns the name of a reader with a card in it."""
    states: dict[str, int] = {}
    while True:  # Until there is a card, or time is up.
        for name, state in states.items():
            if state & scard.SCARD_STATE_PRESENT:
                return name
        wanted = [(name, states.get(name, 0)) for name in scard.SCardListReaders(context, [])[1]]
        left_ms = max(0, int((deadline - time.monotonic()) * 1000))
        # The last one is no reader: it tells of readers that come.
        result, news = scard.SCardGetStatusChange(context, left_ms, [*wanted, ("\\\\?PnP?\\Notification", 0)])
        if result == scard.SCARD_E_TIMEOUT:
            raise LoginError(Exit.TIMEOUT, "no card was put into a reader in time")
        check(result)
        states = {name: state & ~scard.SCARD_STATE_CHANGED for name, state, _ in news[:-1]}


@contextmanager
def transaction(deadline: float) -> Iterator[Card]:
    """Has a card for itself; afterwards the card is reset, so that nobody finds the PIN verified."""
    result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    check(result)
    try:
        reader, any_protocol = wait_for_card(context, deadline), scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        result, handle, protocol = scard.SCardConnect(context, reader, scard.SCARD_SHARE_SHARED, any_protocol)
        check(result)
        try:
            check(scard.SCardBeginTransaction(handle))
            yield Card(handle, protocol, deadline)
        finally:
            scard.SCardDisconnect(handle, scard.SCARD_RESET_CARD)
    finally:
        scard.SCardReleaseContext(context)


def find_certificate(card: Card) -> tuple[x509.Certificate, int]:
    """Returns the first certificate of the card, and the id of its key."""
    if card.send("00A40400", GIDS, b"\x00")[1] != 0x9000:
        raise LoginError(Exit.CARD, "this is no GIDS card")
    files = card.read(0xA000, 0xDF1F)[1:]  # The directory: a version, then 28 bytes for each file.
    for record in (files[at : at + 28] for at in range(0, len(files), 28)):
        name = record[9:18].rstrip(b"\x00").decode("ascii", "replace")
        if name.startswith(("kxc", "ksc")):
            tag, file = int.from_bytes(record[20:24], "little"), int.from_bytes(record[24:28], "little")
            try:  # The certificate is compressed, after 01 00 and its length.
                der = zlib.decompress(card.read(file, tag)[4:])
                return x509.load_der_x509_certificate(der), FIRST_KEY_ID + int(name[3:], 16)
            except (zlib.error, ValueError):
                raise LoginError(Exit.CARD, "the certificate on this card is damaged") from None
    raise LoginError(Exit.CARD, "there is no certificate on this card")


def check_certificate(certificate: x509.Certificate, authorities: list[x509.Certificate]) -> None:
    """Checks that it is valid today, and that one of these authorities has issued it."""
    if not certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc:
        raise LoginError(Exit.DENIED, "the certificate has expired, or is not valid yet")
    for authority in authorities:
        with suppress(ValueError, TypeError, InvalidSignature):
            return certificate.verify_directly_issued_by(authority)
    raise LoginError(Exit.DENIED, "no authority that we trust has issued the certificate")


def verify_pin(card: Card, pin: str) -> None:
    sw = card.send("00200080", pin.encode())[1]
    if sw in (0x6983, 0x63C0):
        raise LoginError(Exit.BLOCKED, "the PIN is blocked: ask for a new one")
    if sw >> 4 == 0x63C:
        raise LoginError(Exit.WRONG_PIN, f"wrong PIN, tries left: {sw & 0x0F}")
    if sw != 0x9000:
        raise LoginError(Exit.CARD, f"the card does not check the PIN ({sw:04X})")


def check_key(card: Card, certificate: x509.Certificate, key_id: int) -> None:
    """Has the card sign a challenge, and checks that with the certificate."""
    public_key, challenge = certificate.public_key(), secrets.token_bytes(32)
    if not isinstance(public_key, RSAPublicKey):
        raise LoginError(Exit.CARD, "the key of this card is no RSA key")
    algorithm = 0x55 + public_key.key_size // 1024
    card.send("002241B6", bytes([0x80, 1, algorithm, 0x84, 1, key_id]))
    signature, sw = card.send("002A9E9A", SHA256_INFO + hashlib.sha256(challenge).digest(), b"\x00")
    if sw != 0x9000:
        raise LoginError(Exit.CARD, f"the card does not sign ({sw:04X})")
    try:
        public_key.verify(signature, challenge, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise LoginError(Exit.DENIED, "the key on the card is not that of the certificate") from None


def change_pin(card: Card, old: str, new: str) -> None:
    """Changes the PIN, which has been verified."""
    try:
        sw = card.send("00240080", old.encode() + new.encode())[1]
    except CardLost as error:
        raise LoginError(error.code, f"{error}; its PIN is the old one or the new one: log in with either") from None
    if sw in (0x6A80, 0x6700):
        raise LoginError(Exit.POLICY, "the rules of this card forbid that new PIN; the old one holds")
    if sw != 0x9000:
        raise LoginError(Exit.CARD, f"the card does not change the PIN ({sw:04X}); the old one holds")


def log_in(authorities: list[x509.Certificate], pin: str, new_pin: str | None, deadline: float) -> str:
    """Returns the name of who has logged in."""
    with transaction(deadline) as card:
        certificate, key_id = find_certificate(card)
        check_certificate(certificate, authorities)
        verify_pin(card, pin)
        check_key(card, certificate, key_id)
        if new_pin is not None:
            change_pin(card, pin, new_pin)
    return str(certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def secret(variable: str, question: str) -> str:
    """Returns what is in a variable, or what somebody types."""
    if variable not in os.environ and not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return os.environ[variable] if variable in os.environ else getpass.getpass(f"{question}: ")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Log in with a smart card.")
    parser.add_argument("--ca", type=Path, required=True, metavar="FILE", help="PEM certificates that we trust")
    parser.add_argument("--change-pin", action="store_true", help="log in, then give the card a new PIN")
    parser.add_argument("--timeout", type=float, default=30, metavar="S", help="seconds for all of it, default 30")
    options = parser.parse_args(arguments)
    pin = secret("LOGIN_PIN", "PIN")
    new_pin = secret("LOGIN_NEW_PIN", "New PIN") if options.change_pin else None
    if not all(0 < len(one.encode()) < 128 for one in (pin, new_pin) if one is not None):
        parser.error("a PIN has 1 to 127 characters")
    try:
        authorities = x509.load_pem_x509_certificates(options.ca.read_bytes())
    except (OSError, ValueError):
        parser.error(f"{options.ca} cannot be read, or has no certificates in it")
    deadline = time.monotonic() + options.timeout
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                name = log_in(authorities, pin, new_pin, deadline)
                break
            except CardReset:
                if attempt == ATTEMPTS:
                    raise
                print("login: another program reset the card, starting again", file=sys.stderr)
    except LoginError as error:
        print(f"login: {error}", file=sys.stderr)
        return error.code
    print(f"{name} has logged in" + (" and has a new PIN" if options.change_pin else ""))
    return Exit.OK


if __name__ == "__main__":
    sys.exit(main())
