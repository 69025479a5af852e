"""Reading a scenario file: YAML with line numbers, and one line for each mistake."""
