"""Handle authentication challenges: the response to a challenge, made with the admin key."""

import sys

if sys.platform != "win32":
    import vsc.winrt

    vsc.winrt.install()

from winrt.windows.security.cryptography.core import (
    CryptographicEngine,
    SymmetricAlgorithmNames,
    SymmetricKeyAlgorithmProvider,
)
from winrt.windows.storage.streams import IBuffer


class ChallengeResponseAlgorithm:
    @staticmethod
    def calculate_response(challenge: IBuffer, adminkey: IBuffer) -> IBuffer:
        if challenge is None:
            raise TypeError("challenge")
        if adminkey is None:
            raise TypeError("adminkey")

        obj_alg = SymmetricKeyAlgorithmProvider.open_algorithm(SymmetricAlgorithmNames.triple_des_cbc)
        symmetric_key = obj_alg.create_symmetric_key(adminkey)
        return CryptographicEngine.encrypt(symmetric_key, challenge, None)


if __name__ == "__main__":
    print(bytes(ChallengeResponseAlgorithm.calculate_response(bytes(8), bytes.fromhex("0102030405060708" * 3))).hex())
