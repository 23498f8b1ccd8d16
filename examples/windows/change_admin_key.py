"""Change the admin key of a card. Prints the new one."""

import asyncio
import sys

if sys.platform != "win32":
    import vsc.winrt

    vsc.winrt.install()

import root_page
from calculate_response import ChallengeResponseAlgorithm
from winrt.windows.devices.smartcards import SmartCardProvisioning
from winrt.windows.security.cryptography import CryptographicBuffer


async def main() -> None:
    card = await root_page.get_smart_card()
    provisioning = await SmartCardProvisioning.from_smart_card_async(card)
    new_key = CryptographicBuffer.generate_random(24)

    with await provisioning.get_challenge_context_async() as context:
        response = ChallengeResponseAlgorithm.calculate_response(context.challenge, root_page.admin_key())
        await context.change_administrative_key_async(response, new_key)
    print(f"ADMIN_KEY={bytes(new_key).hex()}")


if __name__ == "__main__":
    asyncio.run(main())
