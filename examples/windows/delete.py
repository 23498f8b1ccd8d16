"""Delete a virtual smart card, for good, if the person at the machine agrees."""

import asyncio
import sys

if sys.platform != "win32":
    import vsc.winrt

    vsc.winrt.install()

import root_page
from winrt.windows.devices.smartcards import SmartCardProvisioning


async def main() -> None:
    card = await root_page.get_smart_card()
    result = await SmartCardProvisioning.request_virtual_smart_card_deletion_async(card)
    print(f"deleted: {result}")


if __name__ == "__main__":
    asyncio.run(main())
