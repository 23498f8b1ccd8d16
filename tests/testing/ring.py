"""A test file for test_ring.py, which runs it with the plugin: clients in the test's process that once hung for ever.

Each holds the interpreter's lock, or a lock that somebody needs who holds it, while it waits for the service.
RING_TIMES says how often each is run.
"""

import ctypes
import os
import threading
from collections.abc import Callable
from ctypes import byref, c_long, c_ulong
from typing import Any

import pytest

from vsc.testing import CardUser, SoftCard, VirtualReader
from vsc.testing.user import pkcs11_module

TIMES = int(os.environ.get("RING_TIMES", "0"))
SELECT = bytes.fromhex("00A4040009A00000039742544659")
ROUNDS = 20
SUCCESS, TIMEOUT = 0, 0x8010000A

pytestmark = pytest.mark.parametrize("time", range(TIMES))


def in_threads(*work: Callable[[], object]) -> None:
    """Each in a thread of its own, all at once. What one raises is raised."""
    errors: list[BaseException] = []

    def run(one: Callable[[], object]) -> None:
        try:
            one()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        raise error


def test_a_card_monitor_and_a_thread_that_connects(virtual_card: SoftCard, time: int) -> None:
    """What the monitor tells is not asked: it misses a reader that comes while it handles another one's going."""
    from smartcard.CardMonitoring import CardMonitor, CardObserver  # type: ignore[import-untyped]
    from smartcard.System import readers  # type: ignore[import-untyped]

    class Observer(CardObserver):  # type: ignore[misc]
        def update(self, observable: object, handlers: object) -> None:
            pass

    def connect() -> None:
        for _ in range(ROUNDS):
            connection = readers()[0].createConnection()
            connection.connect()
            assert connection.transmit(list(SELECT))[1] == 0x90
            connection.disconnect()

    monitor, observer = CardMonitor(), Observer()
    monitor.addObserver(observer)
    try:
        in_threads(connect, lambda: [readers() for _ in range(ROUNDS)])
    finally:
        monitor.deleteObserver(observer)


def test_two_threads_list_the_readers(virtual_card: SoftCard, time: int) -> None:
    from smartcard.System import readers

    def look() -> None:
        for _ in range(5 * ROUNDS):
            assert len(readers()) == 1

    in_threads(look, look)


def test_pykcs11(virtual_card: SoftCard, time: int) -> None:
    import PyKCS11

    library = PyKCS11.PyKCS11Lib()
    library.load(str(pkcs11_module()))
    try:
        (slot,) = library.getSlotList(tokenPresent=True)[:1]
        session = library.openSession(slot, PyKCS11.CKF_SERIAL_SESSION | PyKCS11.CKF_RW_SESSION)
        session.login(virtual_card.pin)
        key_id = (1,)
        public = [
            (PyKCS11.CKA_CLASS, PyKCS11.CKO_PUBLIC_KEY),
            (PyKCS11.CKA_TOKEN, PyKCS11.CK_TRUE),
            (PyKCS11.CKA_MODULUS_BITS, 1024),
            (PyKCS11.CKA_PUBLIC_EXPONENT, (1, 0, 1)),
            (PyKCS11.CKA_VERIFY, PyKCS11.CK_TRUE),
            (PyKCS11.CKA_ID, key_id),
        ]
        private = [
            (PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY),
            (PyKCS11.CKA_TOKEN, PyKCS11.CK_TRUE),
            (PyKCS11.CKA_SIGN, PyKCS11.CK_TRUE),
            (PyKCS11.CKA_ID, key_id),
        ]
        made, key = session.generateKeyPair(public, private)
        mechanism = PyKCS11.Mechanism(PyKCS11.CKM_SHA256_RSA_PKCS)
        signature = session.sign(key, b"data", mechanism)
        assert session.verify(made, b"data", signature, mechanism)
        session.logout()
        session.closeSession()
    finally:
        library.unload()
        del library
    assert len(virtual_card.gids().containers()) == 1


@pytest.mark.virtual_card(key="rsa:1024")
def test_python_pkcs11(card_user: CardUser, time: int) -> None:
    import pkcs11

    library = pkcs11.lib(str(card_user.pkcs11_module))
    library.reinitialize()
    (slot,) = library.get_slots(token_present=True)[:1]
    with slot.get_token().open(user_pin=card_user.pin, rw=True) as session:
        key: Any
        own: Any
        (key,) = session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY})
        signature = key.sign(b"data", mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS)
        assert len(signature) == 128
        _, own = session.generate_keypair(pkcs11.KeyType.RSA, 1024, store=True, id=b"\x02", label="own")
        assert len(own.sign(b"data", mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS)) == 128


class ReaderState(ctypes.Structure):
    """SCARD_READERSTATE."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("user", ctypes.c_void_p),
        ("current", c_ulong),
        ("event", c_ulong),
        ("atr_bytes", c_ulong),
        ("atr", ctypes.c_ubyte * 33),
    )


def test_a_client_that_never_lets_go_of_the_interpreter(
    virtual_card: SoftCard, virtual_reader: VirtualReader, time: int
) -> None:
    pcsc = ctypes.PyDLL("libpcsclite.so.1")
    context, card, protocol = c_long(), c_long(), c_ulong()
    assert pcsc.SCardEstablishContext(c_ulong(2), None, None, byref(context)) == SUCCESS
    name = virtual_reader.name.encode()
    for _ in range(ROUNDS):
        assert pcsc.SCardConnect(context, name, c_ulong(2), c_ulong(3), byref(card), byref(protocol)) == SUCCESS
        answer, size = ctypes.create_string_buffer(258), c_ulong(258)
        request = (c_ulong * 2)(protocol.value, 16)
        code = pcsc.SCardTransmit(card, byref(request), SELECT, c_ulong(len(SELECT)), None, answer, byref(size))
        assert (code, answer.raw[size.value - 2 : size.value - 1] in (b"\x90", b"\x61")) == (SUCCESS, True)
        assert pcsc.SCardDisconnect(card, c_ulong(0)) == SUCCESS
    state = ReaderState(name=name)
    assert pcsc.SCardGetStatusChange(context, c_ulong(0), byref(state), c_ulong(1)) == SUCCESS
    state.current = state.event
    code = pcsc.SCardGetStatusChange(context, c_ulong(50), byref(state), c_ulong(1))
    assert code & 0xFFFFFFFF == TIMEOUT
    virtual_reader.eject()
    assert pcsc.SCardGetStatusChange(context, c_ulong(60_000), byref(state), c_ulong(1)) == SUCCESS
    assert state.event & 0x10  # SCARD_STATE_EMPTY
    assert pcsc.SCardReleaseContext(context) == SUCCESS
