"""Turn one delivery into accepted rows, set-aside rows and findings. Imports engine and intake."""
