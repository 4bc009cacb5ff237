"""The vocabulary of the project: values, contracts and the catalog; imports nothing of ours."""
