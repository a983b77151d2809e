"""The endpoints, one module per family; ``streams`` holds every stream."""
