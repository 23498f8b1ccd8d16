"""Access connected card readers and smart cards: every reader, and every card that is in one."""

import asyncio
import sys

if sys.platform != "win32":
    import vsc.winrt

    vsc.winrt.install()

from winrt.windows.devices.enumeration import DeviceInformation
from winrt.windows.devices.smartcards import SmartCardProvisioning, SmartCardReader


async def main() -> None:
    selector = SmartCardReader.get_device_selector()
    devices = await DeviceInformation.find_all_async_aqs_filter(selector)

    for device in devices:
        reader = await SmartCardReader.from_id_async(device.id)

        # For each reader, all the cards in it: a line for each (reader, card) pair.
        cards = await reader.find_all_cards_async()
        for card in cards:
            try:
                provisioning = await SmartCardProvisioning.from_smart_card_async(card)
                name = await provisioning.get_name_async()
            except OSError as error:
                name = f"not one that can be managed: {error}"
            print(f"{reader.name} ({reader.kind.name}): {name}")


if __name__ == "__main__":
    asyncio.run(main())
