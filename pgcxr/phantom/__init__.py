"""A made-up clinic: procedural chest radiographs by attenuation, with known truth.

`render.render` exposes one patient; `export.write_export` writes a PACS export.
"""
