"""Certificates, trust, OCSP, revocation lists and signatures: bytes and `now` in, a judgement out. PURE."""
