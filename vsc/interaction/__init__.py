"""Questions to a person, and who answers them."""
