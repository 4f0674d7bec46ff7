"""The four services of synthtrial and the named homes of what they share."""
