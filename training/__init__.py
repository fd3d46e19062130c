"""How the bundled model was made, from nothing to the file in `wavlm_explorer/assets/nano`: `python -m training`.

speech -> targets -> pretraining -> bundle, birth -> evidence: one file each, every step repeatable from the one before.
"""
