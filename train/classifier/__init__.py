"""`python -m train.classifier`: a classifier of a cohort's real images."""
