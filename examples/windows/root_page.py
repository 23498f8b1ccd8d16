"""What the page calls `rootPage`: the card that an app works with, and the admin key that its server keeps."""

import os
import sys

if sys.platform != "win32":
    import vsc.winrt

    vsc.winrt.install()

from winrt.windows.devices.enumeration import DeviceInformation
from winrt.windows.devices.smartcards import SmartCard, SmartCardProvisioning, SmartCardReader, SmartCardReaderKind


def admin_key() -> bytes:
    """24 bytes, in hexadecimal in the environment: a real app would ask its server to answer challenges."""
    return bytes.fromhex(os.environ["ADMIN_KEY"])


async def friendly_name(card: SmartCard) -> str:
    provisioning = await SmartCardProvisioning.from_smart_card_async(card)
    return await provisioning.get_name_async()


async def get_smart_card() -> SmartCard:
    """The virtual smart card whose friendly name is in CARD, or the first that there is."""
    wanted = os.environ.get("CARD")
    selector = SmartCardReader.get_device_selector(SmartCardReaderKind.TPM)
    for device in await DeviceInformation.find_all_async_aqs_filter(selector):
        reader = await SmartCardReader.from_id_async(device.id)
        cards = await reader.find_all_cards_async()
        if len(cards) == 1 and (wanted is None or await friendly_name(cards[0]) == wanted):
            return cards[0]
    raise SystemExit("there is no virtual smart card")
