"""What curation makes of an export, manifest and images, and other inputs, as data sets."""
