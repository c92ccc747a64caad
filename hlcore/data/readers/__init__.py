"""The layouts of data sets on disk, a file each; hlcore.data.catalog knows them by name."""
