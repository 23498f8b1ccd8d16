"""Create a virtual smart card. Prints the admin key, which nobody can read back later."""

import asyncio
import sys

if sys.platform != "win32":
    import vsc.winrt

    vsc.winrt.install()

from winrt.windows.devices.smartcards import SmartCardPinPolicy, SmartCardProvisioning
from winrt.windows.security.cryptography import CryptographicBuffer


async def main() -> None:
    pin_policy = SmartCardPinPolicy()
    pin_policy.min_length = 6

    admin_key = CryptographicBuffer.generate_random(24)

    provisioning = await SmartCardProvisioning.request_virtual_smart_card_creation_async(
        "Card friendly name",
        admin_key,
        pin_policy,
    )
    if provisioning is None:
        print("cancelled")
        return

    print(f"reader: {provisioning.smart_card.reader.name}")
    print(f"ADMIN_KEY={bytes(admin_key).hex()}")


if __name__ == "__main__":
    asyncio.run(main())
