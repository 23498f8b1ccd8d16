"""Remove a smart card: be told when somebody takes it out, or deletes it."""

import asyncio
import sys

if sys.platform != "win32":
    import vsc.winrt

    vsc.winrt.install()

import root_page
from winrt.windows.devices.smartcards import CardRemovedEventArgs, SmartCardReader


async def main() -> None:
    loop = asyncio.get_running_loop()
    removed = asyncio.Event()

    def handle_card_removed(sender: SmartCardReader, args: CardRemovedEventArgs) -> None:
        print(f"removed from {sender.name}")
        loop.call_soon_threadsafe(removed.set)

    card = await root_page.get_smart_card()
    reader = card.reader
    token = reader.add_card_removed(handle_card_removed)

    print(f"waiting until the card in {reader.name} is removed", flush=True)
    await removed.wait()
    reader.remove_card_removed(token)


if __name__ == "__main__":
    asyncio.run(main())
