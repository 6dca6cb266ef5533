"""Artificial anomalies: normal images with something in them that does not belong there, and where
it is.

What a network learns to find without one diseased image. The field calls it synthetic anomalies:
cut and pasted patches (CutPaste, Li et al., CVPR 2021), patches of other images blended in (FPI,
Tan et al., MELBA 2022; NSA, Schlueter et al., ECCV 2022), textures (DRAEM, Zavrtanik et al., ICCV
2021), anatomy-aware pasting on chest radiographs (AnatPaste, Sato et al., 2023). Nothing here knows
what a disease looks like, and nothing comes from the lesions of `pgcxr.phantom`.
"""
