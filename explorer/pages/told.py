"""Tables of words by a code: each is read in the language of the reader at the moment it is looked up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Told(Mapping[K, V], Generic[K, V]):
    """A table that is kept in English, and the function that says one of its values in the reader's language."""

    def __init__(self, marked: Mapping[K, V], say: Callable[[V], V]) -> None:
        self._marked, self._say = marked, say

    def __getitem__(self, code: K) -> V:
        """The words for a code; KeyError for one that is not in the table."""
        return self._say(self._marked[code])

    def __iter__(self) -> Iterator[K]:
        return iter(self._marked)

    def __len__(self) -> int:
        return len(self._marked)
