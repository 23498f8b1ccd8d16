"""For each row an edit of the source that takes it out: then one of its tests must fail (test_mutants.py)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """file: of the source; old: a text that it has exactly once; new: what stands there instead.

    only: more words for `pytest -k`; interop: the row's tests are live ones.
    """

    file: str
    old: str
    new: str
    only: str = ""
    interop: bool = False


_WINRT = "vsc/winrt/"

MUTANTS = {
    1: Mutant(
        _WINRT + "deletion.py",
        "VirtualCard(image.name, store=machine.current().store).delete(interaction=interaction)",
        "pass",
        only="in_process",
        interop=True,
    ),
    2: Mutant(
        _WINRT + "readers.py",
        "ReaderKind.PHYSICAL: SmartCardReaderKind.GENERIC",
        "ReaderKind.PHYSICAL: SmartCardReaderKind.TPM",
        interop=True,
    ),
    3: Mutant(
        _WINRT + "operations.py",
        "def __await__(self) -> Generator[Any, None, Any]:",
        "def _await(self) -> Generator[Any, None, Any]:",
    ),
    4: Mutant(_WINRT + "simulation.py", "if not self.capability:", "if False:"),
    5: Mutant(_WINRT + "selector.py", '_ALL = "System.Devices.InterfaceClassName:=SmartCardReader"', '_ALL = ""'),
    6: Mutant(
        _WINRT + "enumeration.py",
        "(one for one in readers if kind in (SmartCardReaderKind.ANY, kind_of(one)))",
        "readers",
    ),
    7: Mutant(
        _WINRT + "enumeration.py",
        "readers = machine.current().readers()\n",
        "readers = machine.current().readers()[:1]\n",
    ),
    8: Mutant(
        _WINRT + "readers.py",
        "if reader.id == wanted:",
        "if True:",
    ),
    9: Mutant(
        _WINRT + "readers.py",
        "return () if insertion is None else (reader._card(insertion),)",
        "return (reader._card(insertion or 0),)",
    ),
    10: Mutant(_WINRT + "facade.py", "return reader.name if image is None else image.label", "return reader.name"),
    11: Mutant(_WINRT + "readers.py", "ChangeKind.CARD_ADDED, CardAddedEventArgs", "None, CardAddedEventArgs"),
    12: Mutant(_WINRT + "readers.py", "guarded(self, make(", "guarded(self._reader, make("),
    13: Mutant(
        "vsc/machine/own.py",
        "herald.see(reader, None if last is None or is_empty else reader.numbered(last.insertion))",
        "herald.see(reader, None)",
    ),
    14: Mutant(
        _WINRT + "events.py",
        "        if end is not None:\n            end()",
        "        assert end or True",
    ),
    15: Mutant(
        _WINRT + "provisioning.py", "        return self._smart_card\n", "        return self._smart_card.reader\n"
    ),
    16: Mutant(_WINRT + "facade.py", "found = card.id\n", "found = __import__('uuid').uuid4()\n"),
    17: Mutant(_WINRT + "challenge.py", "if len(key) != KEY_BYTES:", "if False:"),
    18: Mutant(_WINRT + "creation.py", "label=label, store=place.store", "store=place.store"),
    19: Mutant(_WINRT + "pin_policy.py", '"min_length": 8,', '"min_length": 4,'),
    20: Mutant(_WINRT + "pin_policy.py", 'min_length=values["min_length"],', "min_length=4,"),
    21: Mutant(_WINRT + "pin_policy.py", 'special=CharacterRule(values["special_characters"]),', ""),
    22: Mutant("card_os/pin.py", "if self.min_length > self.max_length:", "if False:"),
    23: Mutant(
        _WINRT + "cryptography.py",
        'secrets.token_bytes(uint32(length, "length"))',
        'bytes(uint32(length, "length"))',
    ),
    24: Mutant(_WINRT + "creation.py", "name, pin=pin, admin_key=admin_key, policy", "name, pin=pin, policy"),
    25: Mutant(_WINRT + "provisioning.py", "            return _provisioning_of(card)\n", "            return None\n"),
    26: Mutant(
        _WINRT + "creation.py",
        "    except Cancelled:\n        return None\n",
        '    except Cancelled:\n        pin = b"12345678"\n',
    ),
    27: Mutant(_WINRT + "creation.py", "name, pin=pin, admin_key", "name, pin=pin[::-1], admin_key"),
    28: Mutant(_WINRT + "simulation.py", "if not self.administrator:", "if False:"),
    29: Mutant(_WINRT + "challenge.py", "return challenge.verify(raw)", "return True"),
    30: Mutant(_WINRT + "challenge.py", "challenge.change_admin_key(raw, new)", "challenge.verify(raw)"),
    31: Mutant(
        "card_os/admin.py",
        "bytes_eq(encrypt(value, challenge.card), response)",
        "bytes_eq(encrypt(value, challenge.card)[:7], response[:7])",
    ),
    32: Mutant(
        "vsc/host/challenge.py", "encryptor = _cipher(key).encryptor()", "encryptor = _cipher(key[::-1]).encryptor()"
    ),
    33: Mutant("vsc/host/challenge.py", '_buffer(challenge, "challenge")', '_buffer(challenge, "text")'),
    34: Mutant("vsc/host/challenge.py", 'checked_key(admin_key, "admin_key")', "checked_key(admin_key)"),
    35: Mutant("vsc/host/challenge.py", "if not text or len(text) % BLOCK_BYTES:", "if False:"),
    36: Mutant("vsc/host/challenge.py", "if len(key) != KEY_BYTES:", "if False:"),
    37: Mutant("vsc/__init__.py", '"vsc.host.challenge": ("calculate_response",),', ""),
    38: Mutant(
        _WINRT + "facade.py",
        "    card = Card(InReader(reader, insertion), card_name(reader))\n",
        "    if reader.card_name is None:\n        raise UnsupportedCard('not ours')\n"
        "    card = Card(InReader(reader, insertion), card_name(reader))\n",
    ),
    39: Mutant(_WINRT + "challenge.py", "IBuffer(challenge.challenge)", "IBuffer(bytes(8))"),
    40: Mutant(
        _WINRT + "cryptography.py",
        "calculate_response(first + text[BLOCK_BYTES:], material)",
        "calculate_response(first + text[BLOCK_BYTES:], material[::-1])",
    ),
    41: Mutant(
        "vsc/api/challenge.py",
        "        except WrongAdminResponse:\n            return False",
        "        except WrongAdminResponse:\n            raise",
    ),
    42: Mutant(_WINRT + "challenge.py", "return challenge.verify(raw)", "return not challenge.verify(raw)"),
    43: Mutant(_WINRT + "challenge.py", "            if self._is_used:\n", "            if False:\n"),
    44: Mutant(
        _WINRT + "provisioning.py",
        "facade.cancellable(self._card.change_pin)",
        'facade.cancellable(lambda: self._card.change_pin(old="135790"))',
    ),
    45: Mutant(
        _WINRT + "facade.py", "except Cancelled:\n            return False", "except Cancelled:\n            pass"
    ),
    46: Mutant("card_os/pin.py", "    commit(spent)\n", ""),
    47: Mutant(_WINRT + "pin_reset.py", "call(sender, request)", "call(request, sender)"),
    48: Mutant(_WINRT + "pin_reset.py", "self._challenge = IBuffer(challenge)", "self._challenge = IBuffer(bytes(8))"),
    49: Mutant(_WINRT + "pin_reset.py", "self._open += 1", "self._open += 0"),
    50: Mutant(_WINRT + "pin_reset.py", "            answer.fail(error)\n", "            answer.close()\n"),
    51: Mutant(
        "card_os/pin.py",
        "return replace(self, value=Secret(value), tries_left=self.try_limit)",
        "return replace(self, value=Secret(value))",
    ),
    52: Mutant(_WINRT + "pin_reset.py", "if not in_time:", "if False:"),
    53: Mutant(_WINRT + "facade.py", "        return True\n", "        return False\n"),
    54: Mutant(_WINRT + "readers.py", "ChangeKind.CARD_REMOVED, CardRemovedEventArgs", "None, CardRemovedEventArgs"),
    55: Mutant(_WINRT + "readers.py", "self._removed.remove(token)", "_ = token"),
    56: Mutant(
        "vsc/machine/herald.py",
        "            if old is None:\n                return\n            if old.insertion is not None:\n",
        "            if old is None:\n                return\n            if False:\n",
    ),
    57: Mutant(_WINRT + "readers.py", "        return self._reader\n", "        return self._place\n"),
    58: Mutant(
        _WINRT + "provisioning.py",
        "facade.cancellable(request_virtual_smart_card_deletion)",
        "lambda: False",
    ),
    59: Mutant(
        _WINRT + "deletion.py",
        "VirtualCard(image.name, store=machine.current().store).delete(interaction=interaction)",
        "machine.current().unplug(image.name)",
    ),
    60: Mutant(_WINRT + "deletion.py", "if reader.insertion != insertion:", "if False:"),
    61: Mutant(_WINRT + "connections.py", "if len(raw) < _HEADER_BYTES:", "if False:"),
}
