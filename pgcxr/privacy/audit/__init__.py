"""The privacy audit: every identifier that an export holds is looked for in everything that was
made of it.

It is the largest part of pgcxr because it must neither miss a name nor cry wolf: what leaves the
hospital is passed on if it passes. `auditing` is the entry: `matcher` of an export, then `check` of
outputs. From the foundations up, each part, and why it is there:

- `encodings`: a name in UTF-16, EUC-KR or Latin-1 is a name, whatever the file says that it is in;
- `fingerprints`: one hash for every word and run of words, however they are spelled and joined
  ("Doe^Jane", "doe, jane"), in NumPy: outputs are gigabytes, identifiers millions;
- `own_words`: what pgcxr, the standard and makers write identifies nobody; without it "chest" in a
  comment would fail every cohort;
- `lexicon`: what reports are read by, alone and combined, identifies nobody either;
- `identifiers`: what counts as one, and in which forms (dates, names, codes) it may come back;
- `elements`: those of a DICOM file, of all its elements by PS3.15 Table E.1-1, private and damaged
  ones too; `tables`: those of CSV files, read so that a quote too many loses no line;
- `gather`: those of a whole export, in processes that hostile files may bring down;
- `matcher`: finds them in a text, and knows measurements, counts and dates from identifiers;
- `contents`: the texts of an output by what it holds, not by its name: images without pixels,
  archives, arrays, records, pickles, markup, and the printable parts of anything else;
- `findings`: the private table, the only place that names anybody;
- `search`: every file of the outputs, links and names of files included;
- `auditing`: passes, or fails in one line; never without having looked.
"""
