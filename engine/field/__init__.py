"""KoalaBear and its degree-5 extension: readable references, vector kernels, transforms."""
