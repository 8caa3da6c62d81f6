"""Lesionbook: notebooks that turn folders of cancer images into reports that students read."""

__version__ = "0.1.0"
