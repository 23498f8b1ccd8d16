"""Reset a user PIN: the admin key takes the place of the old one."""

import asyncio
import sys

if sys.platform != "win32":
    import vsc.winrt

    vsc.winrt.install()

import root_page
from calculate_response import ChallengeResponseAlgorithm
from winrt.windows.devices.smartcards import SmartCardPinResetRequest, SmartCardProvisioning


async def main() -> None:
    card = await root_page.get_smart_card()
    provisioning = await SmartCardProvisioning.from_smart_card_async(card)

    def on_request(pin_reset_sender: SmartCardProvisioning, request: SmartCardPinResetRequest) -> None:
        deferral = request.get_deferral()

        try:
            response = ChallengeResponseAlgorithm.calculate_response(
                request.challenge,
                root_page.admin_key(),
            )
            request.set_response(response)
        finally:
            deferral.complete()

    result = await provisioning.request_pin_reset_async(on_request)
    print(f"reset: {result}")


if __name__ == "__main__":
    asyncio.run(main())
