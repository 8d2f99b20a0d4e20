"""`kiosk verify`: one certificate, judged step by step (`docs/verify.md`)."""
