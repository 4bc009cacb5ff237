"""Language models behind one protocol: a prompt with the form of its answer goes in, JSON text comes out."""
