"""Numbers that others have printed: if one of these changes, cards in the field and their hosts no longer fit."""

from card_os.apps.gids.wire import AID, KEY_FILES, MAX_OBJECT_BYTES, MAX_OBJECTS, EfId, Ins, Reference, Tag


def test_the_aid_of_revision_2() -> None:
    assert AID.hex().upper() == "A000000397425446590201"


def test_the_instructions() -> None:
    assert {one.name: f"{one:02X}" for one in Ins} == {
        "VERIFY": "20",
        "MANAGE_SECURITY_ENVIRONMENT": "22",
        "CHANGE_REFERENCE_DATA": "24",
        "PERFORM_SECURITY_OPERATION": "2A",
        "RESET_RETRY_COUNTER": "2C",
        "ACTIVATE_FILE": "44",
        "GENERATE_ASYMMETRIC_KEY_PAIR": "47",
        "GENERAL_AUTHENTICATE": "87",
        "INTERNAL_AUTHENTICATE": "88",
        "SELECT": "A4",
        "GET_DATA": "CB",
        "PUT_DATA": "DB",
        "CREATE_FILE": "E0",
        "DELETE_FILE": "E4",
        "TERMINATE_DF": "E6",
    }


def test_the_references_and_reserved_files() -> None:
    assert [int(one) for one in Reference] == [0x00, 0x80, 0x81, 0x82]
    assert {f"{one:04X}" for one in EfId} == {"0000", "2F00", "2F01", "3F00", "3FFF", "A012", "FFFF"}
    assert (KEY_FILES.start, KEY_FILES.stop) == (0xB080, 0xB100)


def test_the_status_objects_and_the_capacity() -> None:
    assert (Tag.GLOBAL_PIN_STATUS, Tag.PIN_STATUS, Tag.PUK_STATUS, Tag.PIN_POLICY) == (0x7F71, 0x7F72, 0x7F73, 0xDF7E)
    assert (MAX_OBJECTS, MAX_OBJECT_BYTES) == (100, 16384)
