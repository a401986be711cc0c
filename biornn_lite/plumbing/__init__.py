"""What the library shares and no lesson is about: arrays, files, processes and products of matrices."""
