"""Everything that can be chosen: typed fields, sections of them, and the one reader of them all."""
