"""The explorer: a page on loopback that looks into releases, one module for who may ask it what."""
