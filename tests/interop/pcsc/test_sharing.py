"""Several processes on one card, through libpcsclite: locks, resets, removals, waits, and what a killed one leaves."""

from collections.abc import Mapping

from bench.null_card import NullCard
from tests.interop.pcsc import winscard as w
from tests.interop.pcsc.puppet import Puppet
from vsc.pcsc import Service
from vsc.reader import DEFAULT_NAME as NAME
from vsc.reader import EventKind, Reader

SILENCE_S = 0.3
"""Long enough for a reply that should not come, were it to come."""


def connected(env: Mapping[str, str], mode: int = w.SHARED) -> Puppet:
    puppet = Puppet(env)
    assert puppet("connect", "$context", NAME, mode, 3, keep="card")[0] == "SUCCESS"
    return puppet


def test_a_transaction_keeps_others_out_until_it_ends(reader: Reader, env: Mapping[str, str]) -> None:
    reader.insert(NullCard())
    with connected(env) as one, connected(env) as two:
        assert one("begin", "$card") == ["SUCCESS"]
        two.tell("begin", "$card")
        assert two.is_silent(SILENCE_S)
        assert one("transmit", "$card", "hex:00a40400")[:2] == ["SUCCESS", "9000"]
        assert one("end", "$card", 0) == ["SUCCESS"]
        assert two.hear() == ["SUCCESS"]
        one.tell("transmit", "$card", "hex:00a40400")
        assert one.is_silent(SILENCE_S)
        assert two("end", "$card", 0) == ["SUCCESS"]
        assert one.hear()[:2] == ["SUCCESS", "9000"]


def test_exclusive_is_exclusive(reader: Reader, env: Mapping[str, str]) -> None:
    reader.insert(NullCard())
    with connected(env, w.EXCLUSIVE) as one, Puppet(env) as two:
        for mode in (w.SHARED, w.EXCLUSIVE, w.DIRECT):
            assert two("connect", "$context", NAME, mode, 3)[0] == "SHARING_VIOLATION"
        assert one("disconnect", "$card", 0) == ["SUCCESS"]
        assert two("connect", "$context", NAME, w.EXCLUSIVE, 3)[0] == "SUCCESS"


def test_a_reset_is_told_to_the_others(reader: Reader, env: Mapping[str, str]) -> None:
    reader.insert(NullCard())
    with connected(env) as one, connected(env) as two:
        assert one("reconnect", "$card", w.SHARED, 3, w.RESET)[0] == "SUCCESS"
        assert two("transmit", "$card", "hex:00a40400")[0] == "RESET_CARD"
        assert two("reconnect", "$card")[0] == "SUCCESS"
        assert two("transmit", "$card", "hex:00a40400")[0] == "SUCCESS"


def test_who_is_killed_in_a_transaction_frees_the_card_and_has_it_reset(reader: Reader, env: Mapping[str, str]) -> None:
    reader.insert(NullCard())
    with connected(env) as one, connected(env) as two:
        assert one("begin", "$card") == ["SUCCESS"]
        two.tell("begin", "$card")
        assert two.is_silent(SILENCE_S)
        one.kill()
        assert two.hear() == ["RESET_CARD"]
        assert two("reconnect", "$card")[0] == "SUCCESS"
        assert two("begin", "$card") == ["SUCCESS"]
    assert reader.events[-1].kind in (EventKind.WARM_RESET, EventKind.COLD_RESET)


def test_long_apdus_pass_unchanged(reader: Reader, env: Mapping[str, str]) -> None:
    class Echo(NullCard):
        def transmit(self, command: bytes) -> bytes:
            return command + b"\x90\x00"

    reader.insert(Echo())
    command = bytes(range(256)) * 240
    with connected(env) as one:
        assert one("transmit", "$card", f"hex:{command.hex()}")[:2] == ["SUCCESS", command.hex() + "9000"]


def test_a_wait_ends_with_the_change(reader: Reader, env: Mapping[str, str]) -> None:
    with Puppet(env) as one:
        state = one("wait_for", "$context", NAME, w.EMPTY, w.EMPTY)[0]
        for number in range(1, 21):
            flag = w.PRESENT if number % 2 else w.EMPTY
            one.tell("wait_for", "$context", NAME, flag, flag)
            assert one.is_silent(0.02)
            if number % 2:
                reader.insert(NullCard())
            else:
                reader.eject()
            state = one.hear()[0]
            assert state >> 16 == number


def test_a_wait_times_out_and_can_be_cancelled(env: Mapping[str, str]) -> None:
    with Puppet(env) as one:
        one.tell("wait_for", "$context", NAME, w.PRESENT, w.PRESENT, 20)
        assert one.process.wait(timeout=10) == 1  # TimeoutError


def test_a_direct_connection_needs_no_card(env: Mapping[str, str]) -> None:
    with connected(env, w.DIRECT) as one:
        assert one("control", "$card", 0x42000D48) == ["SUCCESS", "120442330012", 6]
        assert one("get_attribute", "$card", 0x7FFF0003)[1] == (NAME + "\0").encode().hex()
        assert one("get_attribute", "$card", 0x7FFF0003, 3)[0] == "INSUFFICIENT_BUFFER"


def test_readers_come_and_go(service: Service, env: Mapping[str, str]) -> None:
    with Puppet(env) as one:
        assert one("list_readers", "$context") == ["SUCCESS", [NAME]]
        more = [Reader(f"More {number:02}") for number in range(20)]
        for reader in more:
            service.add_reader(reader)
        assert len(one("list_readers", "$context")[1]) >= 16
        for reader in [*service.readers]:
            service.remove_reader(reader)
        assert one("list_readers", "$context") == ["NO_READERS_AVAILABLE", []]


def test_a_service_may_stop_under_its_clients(reader: Reader) -> None:
    reader.insert(NullCard())
    service = Service([reader])
    with service as env:
        one = connected(env)
        assert one("begin", "$card") == ["SUCCESS"]
    with one:
        assert one("transmit", "$card", "hex:00a40400")[0] in ("COMM_ERROR", "NO_SERVICE")
    with service as env, connected(env) as two:
        assert two("status", "$card")[0] == "SUCCESS"
