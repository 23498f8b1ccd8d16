"""Exchange a command with a card: what a GIDS card says of itself in its EF.ATR."""

import asyncio
import sys

if sys.platform != "win32":
    import vsc.winrt

    vsc.winrt.install()

import root_page


async def main() -> None:
    card = await root_page.get_smart_card()
    print(f"ATR: {bytes(await card.get_answer_to_reset_async()).hex(' ')}")

    with await card.connect_async() as connection:
        answer = bytes(await connection.transmit_async(bytes.fromhex("00CB2F01025C0000")))
        print(f"EF.ATR: {answer[:-2].hex(' ')}, status {answer[-2:].hex()}")


if __name__ == "__main__":
    asyncio.run(main())
