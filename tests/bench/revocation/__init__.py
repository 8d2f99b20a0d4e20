"""What deciding from evidence costs: trust, OCSP, and revocation lists of national size.

Beside each figure of ours stand those of others for the same, measured in turn within one run, and the floors: what
cannot be avoided by anybody.
"""
