"""What scans are one assessment, and what they say beside the measurements."""
