"""Keys and certificates onto a card: from files (`load`), or made on the card (`generate`)."""
