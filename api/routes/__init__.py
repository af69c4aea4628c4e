"""What the API accepts and answers, one module per resource."""
