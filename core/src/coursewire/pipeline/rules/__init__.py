"""Pure decisions: completion, consent, identity, the retirement guard, what happens to an item."""
