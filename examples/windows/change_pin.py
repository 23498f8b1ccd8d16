"""Change a user PIN: the person at the card types the old one and the new one."""

import asyncio
import sys

if sys.platform != "win32":
    import vsc.winrt

    vsc.winrt.install()

import root_page
from winrt.windows.devices.smartcards import SmartCardProvisioning


async def main() -> None:
    card = await root_page.get_smart_card()
    provisioning = await SmartCardProvisioning.from_smart_card_async(card)

    result = await provisioning.request_pin_change_async()
    print(f"changed: {result}")


if __name__ == "__main__":
    asyncio.run(main())
