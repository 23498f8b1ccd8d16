"""A PIN pad for a reader: programs ask the reader for a PIN and never see it (PC/SC part 10).

    reader = Reader()
    reader.insert(card)
    PinPad(reader, pin_source("env:CARD_PIN"))
    with Service([reader]) as env:
        subprocess.run(["pkcs11-tool", "--login", "--list-objects"], env=env)

From the wire inwards: `structure` has the structs of part 10, `template` puts PINs into a command, `pad` is what the
reader answers, `source` is who types. `docs/pinpad.md` says more.
"""

from vsc.pinpad.pad import Ask, PinKind, PinPad, PinRequest
from vsc.pinpad.source import SOURCES, PinSourceError, pin_source

__all__ = ["SOURCES", "Ask", "PinKind", "PinPad", "PinRequest", "PinSourceError", "pin_source"]
