"""What diagnosis codes, reports and public label tables say of a study, how well they agree, and
what is made of it."""
