"""Verify an authentication response: does the card have the admin key that we have?"""

import asyncio
import sys

if sys.platform != "win32":
    import vsc.winrt

    vsc.winrt.install()

import root_page
from calculate_response import ChallengeResponseAlgorithm
from winrt.windows.devices.smartcards import SmartCardProvisioning


async def main() -> None:
    verify_result = False
    card = await root_page.get_smart_card()
    provisioning = await SmartCardProvisioning.from_smart_card_async(card)

    context = await provisioning.get_challenge_context_async()

    response = ChallengeResponseAlgorithm.calculate_response(
        context.challenge,
        root_page.admin_key(),
    )

    verify_result = await context.verify_response_async(response)
    print(f"verified: {verify_result}")


if __name__ == "__main__":
    asyncio.run(main())
