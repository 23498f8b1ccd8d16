"""PIV, the Personal Identity Verification card application of NIST SP 800-73-5."""
