"""Which designs and profiles come with the package, told without reading them."""

from importlib import resources


def shipped_names(folder: str) -> list[str]:
    """Return the names of the TOML files of a folder such as "designs", in alphabetical order."""
    files = (resources.files("flows") / folder).iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))
