"""Commands of whoever pools several registries."""
