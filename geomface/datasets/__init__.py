"""Where the files of a set lie, and one reader of each kind of set."""
