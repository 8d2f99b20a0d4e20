"""`kiosk linkage-test`: is everything in place for one cooperating system? (`docs/introduction.md`)"""
