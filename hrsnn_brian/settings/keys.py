"""The keys of what can be set: dotted paths, their last parts, and the other names of some."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.settings.checked import Checked, parse_value


@dataclass(frozen=True)
class Keys:
    """Everything that can be set in one table, by dotted path.

    aliases: other name (a path, too) -> the paths it stands for. renamed: a name that is no longer
    taken -> what to say of it. argument: what a key is called in an error. see: what
    `hrsnn list options` shows them of.
    """

    fields: Mapping[str, Checked[Any]]
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    argument: str = "--set key"
    see: str = ""

    def under(self, prefix: str) -> "Keys":
        """The same keys as those of the table `prefix`."""
        return replace(
            self,
            fields={f"{prefix}.{path}": checked for path, checked in self.fields.items()},
            aliases={
                f"{prefix}.{name}": tuple(f"{prefix}.{path}" for path in paths)
                for name, paths in self.aliases.items()
            },
        )

    def __or__(self, other: "Keys") -> "Keys":
        return replace(
            self,
            fields={**self.fields, **other.fields},
            aliases={**self.aliases, **other.aliases},
            renamed={**self.renamed, **other.renamed},
        )

    def paths(self, key: str, others: Iterable[str] = ()) -> tuple[str, ...]:
        """The full paths that a path, its unambiguous end or another name stands for.

        others: names offered beside those known here. Raises InputError if it is unknown, naming
        the nearest, or ambiguous, naming all.
        """
        for known in (self.fields, self.aliases):
            if key in known:
                return self.aliases.get(key, (key,))
        named = _ending_with(key, self.fields) or _ending_with(key, self.aliases)
        if len(named) > 1:
            raise InputError(self.argument, key, f"is ambiguous: {', '.join(named)}")
        if named:
            return self.aliases.get(named[0], (named[0],))
        owner, _, last = key.rpartition(".")
        held = _ending_with(owner, self.fields) if owner else []
        if len(held) == 1 and self.fields[held[0]].nested:
            return (f"{held[0]}.{last}",)
        if key in self.renamed:
            raise InputError(self.argument, key, f"is called {self.renamed[key]} now")
        raise self.unknown(key, others)

    def unknown(self, key: str, others: Iterable[str] = ()) -> InputError:
        """The error about a key that is not known.

        Offers paths for a dotted key and last parts for a short one: like is compared with like.
        """
        known = [*self.fields, *self.aliases]
        if not known:
            return InputError(self.argument, key, "it has none")
        pool = known if "." in key else {path.rpartition(".")[2] for path in known}
        found = unknown_name(self.argument, key, {*others, *pool})
        if not self.see:
            return found
        name = f"'{self.see}'" if " " in self.see else self.see
        return InputError(self.argument, key, f"{found.allowed} (see hrsnn list options {name})")

    def read(self, path: str, text: str) -> Any:
        """What a text at that path stands for."""
        return self.fields[path].read(text) if path in self.fields else parse_value(text)

    def put(self, table: dict[str, Any], path: str, value: Any) -> None:
        """Sets the value at a full path of a table of tables."""
        held, inner = (path, "") if path in self.fields else path.rpartition(".")[::2]
        *owners, last = held.split(".")
        for owner in owners:
            table = table.setdefault(owner, {})
            if not isinstance(table, dict):
                raise InputError(self.argument, path, f"{owner} is not a table of parameters")
        checked = self.fields[held]
        table[last] = checked.inside(table.get(last), inner, value) if inner else value

    def in_table(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Full path -> value of all that a table of tables, such as that of a TOML file, sets."""
        found: dict[str, Any] = {}
        for key, value in self._leaves(table):
            for path in self.paths(key):
                if path not in self.fields or self.fields[path].is_whole(value):
                    found[path] = value
                else:
                    found |= {f"{path}.{inner}": item for inner, item in value.items()}
        return found

    def _leaves(self, table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for name, value in table.items():
            key = f"{prefix}{name}"
            inner = isinstance(value, Mapping) and any(p.startswith(f"{key}.") for p in self.fields)
            found += self._leaves(value, f"{key}.") if inner else [(key, value)]
        return found


def _ending_with(key: str, known: Iterable[str]) -> list[str]:
    return [path for path in known if path == key or path.endswith(f".{key}")]
