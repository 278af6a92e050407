"""What a user is told of everything that can be set: the text of `hrsnn list options`."""

from collections.abc import Iterable, Mapping
from typing import Any

from hrsnn_brian.settings.checked import Checked
from hrsnn_brian.settings.keys import Keys

Entry = dict[str, Any]


def entries(keys: Keys, values: Mapping[str, Any]) -> list[Entry]:
    """One entry per key: name, default, unit, allowed, meaning, grade, values, also.

    values: path -> plain value; a key without one has the default of its field.
    """
    others: dict[str, list[str]] = {}
    for name, paths in keys.aliases.items():
        for path in paths:
            others.setdefault(path, []).append(name)
    return [
        {
            "name": path,
            "default": checked.default() if values.get(path) is None else values[path],
            "unit": checked.unit,
            "allowed": checked.allowed(),
            "meaning": checked.meaning,
            "grade": checked.grade if checked.meaning else "",
            "values": checked.values(),
            "also": others.get(path, []),
        }
        for path, checked in keys.fields.items()
    ]


def plain_values(keys: Keys, table: Mapping[str, Any]) -> dict[str, Any]:
    """Path -> value in a table of tables, None for what it leaves out."""
    found: dict[str, Any] = {}
    for path in keys.fields:
        value: Any = table
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        found[path] = value
    return found


def option_values(options: Mapping[str, tuple[Checked[Any], Any]]) -> dict[str, Any]:
    """Path -> plain value of fields with their values."""
    return {path: checked.plain(value) for path, (checked, value) in options.items()}


def listed(found: Iterable[Entry]) -> list[str]:
    """The lines of a list of entries: what each is, then what it may be and what that means."""
    lines: list[str] = []
    for entry in found:
        head = f"{entry['name']} = {shown(entry['default'])}"
        unit = f", in {entry['unit']}" if entry["unit"] else ""
        grade = f" [{entry['grade']}]" if entry["grade"] else ""
        lines.append(f"{head}{unit}")
        if entry["meaning"]:
            lines.append(f"    {entry['meaning']}{grade}")
        lines.append(f"    must be {entry['allowed']}")
        lines += [f"        {name}: {what}" for name, what in entry["values"].items()]
        if entry["also"]:
            lines.append(f"    also called {', '.join(entry['also'])}")
    return lines


def shown(value: Any) -> str:
    """A plain value as it may be written after `--set name=`."""
    if value is None:
        return "(not set)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)  # exact, as TOML writes it
    if isinstance(value, list):
        listed = ",".join(map(shown, value)) or "(none)"
        return f"[{listed}]" if any(isinstance(item, Mapping) for item in value) else listed
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_quoted(item)}" for name, item in value.items()) + "}"
    return str(value)


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else shown(value)
