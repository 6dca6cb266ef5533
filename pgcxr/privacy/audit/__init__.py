"""The privacy audit: every identifier that an export holds is looked for in everything that was
made of it.

`fingerprints` hashes the words of a text and of an identifier alike, `identifiers` says what counts
as one, `gather` collects them from an export, `contents` turns an output file into texts, `audit`
compares the two.
"""
