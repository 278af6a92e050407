"""Small real series shipped with the package, each with its licence text beside it.

google.csv   daily closing price of Google, US dollars, 2148 rows (public domain)
wind.csv     hourly wind speed at La Haute Borne, m/s, 4038 rows (Licence Ouverte 2.0, ENGIE)
"""

from importlib.resources import files
from importlib.resources.abc import Traversable

from hrsnn_brian.errors import unknown_name

FILES = {"google": "google.csv", "wind": "wind.csv"}


def data_file(name: str) -> Traversable:
    """The shipped CSV file of a series, readable wherever the package is installed.

    Raises InputError if `name` is not in `FILES`.
    """
    if name not in FILES:
        raise unknown_name("data set", name, FILES)
    return files(__name__) / FILES[name]
