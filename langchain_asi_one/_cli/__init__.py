"""The commands of this package: options, work, output and exit status."""
