"""Which kinds of entities belong to which intents, learnt from the annotations.

"tiền điện" is a kind of notice where the customer chooses notices, and nothing of the sort in a question about a bill.
How often the rules' finds of a kind are annotated under an intent tells the two apart.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_FEWEST = 10
"""A kind annotated less often than this is not judged."""
_KEPT_FROM = 0.4
_MEANT_FROM = 0.6
"""A kind annotated this often over all is a value, meant whatever is asked: it is not judged either."""


@dataclass(frozen=True)
class Judge:
    """``shares[kind][intent]``: the share of the kind's finds that are annotated under the intent; ``""``: overall."""

    shares: "dict[str, dict[str, float]]"

    @classmethod
    def learn(cls, finds: "Iterable[tuple[str, str, bool]]") -> "Judge":
        """From (kind, intent, whether annotated) of every find of the rules in the training examples."""
        found: Counter[tuple[str, str]] = Counter()
        annotated: Counter[tuple[str, str]] = Counter()
        for kind, intent, is_annotated in finds:
            for key in ((kind, intent), (kind, "")):
                found[key] += 1
                annotated[key] += is_annotated
        shares: dict[str, dict[str, float]] = {}
        for (kind, intent), count in sorted(found.items()):
            overall = annotated[kind, ""] / found[kind, ""]
            if annotated[kind, ""] >= _FEWEST and overall < _MEANT_FROM:
                shares.setdefault(kind, {})[intent] = round((annotated[kind, intent] + overall) / (count + 1), 4)
        return cls(shares)

    def keeps(self, kind: str, intents: "Mapping[str, float]") -> bool:
        """Whether a find of the kind is likely meant, given the likelihood of each intent."""
        shares = self.shares.get(kind)
        if shares is None or not intents:
            return True
        weight = sum(intents.values())
        expected = sum(share * shares.get(intent, shares[""]) for intent, share in intents.items())
        return weight <= 0 or expected / weight >= _KEPT_FROM
