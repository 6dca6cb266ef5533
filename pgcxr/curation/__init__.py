"""From an export to a cohort: list the scans, apply the rules, decode what is kept, write the
tables.

Kept free of imports: every worker process passes through here.
"""
