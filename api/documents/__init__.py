"""How rows become the objects of an answer, one module per resource."""
