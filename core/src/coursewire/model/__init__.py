"""The things that all other rooms speak of. This room imports no other."""
