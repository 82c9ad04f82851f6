"""What later series report beyond the first paper: tumour markers, and the items of reporting."""
