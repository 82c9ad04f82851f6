"""Write what a registry tells for pooling, signed; imports sharing. Imported by pooling."""
