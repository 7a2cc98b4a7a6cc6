"""Checks the training data: ``python -m nlu.check_data``; ends with status 1 when something is wrong.

Errors: a label of the domain with fewer than 30 examples, an unknown label or entity, an empty example, the same text
under two labels. Also reported: the same text twice under one label, and near-duplicates across labels.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nlu.corpus import DATA, Annotated, domain, read
from nlu.text.views import normalise

FEWEST = 30
_NEAR = 0.85


@dataclass
class Findings:
    """What the check found: errors must be mended, remarks may be."""

    errors: "list[str]" = field(default_factory=list)
    remarks: "list[str]" = field(default_factory=list)


def check(examples: Sequence[Annotated], intents: Sequence[str], entities: Sequence[str]) -> Findings:
    """The findings on the examples for a domain's intents and entities."""
    findings = Findings()
    counts = Counter(example.intent for example in examples)
    for intent in intents:
        if counts[intent] < FEWEST:
            findings.errors.append(f"{intent}: {counts[intent]} examples, at least {FEWEST} are needed")
    for intent in sorted(set(counts) - set(intents)):
        findings.errors.append(f"{intent}: not an intent of the domain")
    for example in examples:
        for name in sorted({span.entity for span in example.entities} - set(entities)):
            findings.errors.append(f"{example.file}: unknown entity {name!r} in {example.text!r}")
        if not example.text.strip():
            findings.errors.append(f"{example.file}: empty example of {example.intent}")
    _duplicates(examples, findings)
    _near_duplicates(examples, findings)
    return findings


def _duplicates(examples: Sequence[Annotated], findings: Findings) -> None:
    by_text: dict[str, list[Annotated]] = defaultdict(list)
    for example in examples:
        by_text[" ".join(example.text.lower().split())].append(example)
    for text, same in by_text.items():
        intents = sorted({example.intent for example in same})
        if len(intents) > 1:
            findings.errors.append(f"the same text under {', '.join(intents)}: {text!r}")
        elif len(same) > 1:
            findings.remarks.append(f"{len(same)} times under {intents[0]}: {text!r}")


def _near_duplicates(examples: Sequence[Annotated], findings: Findings) -> None:
    """Pairs of different labels whose words without marks are nearly the same set."""
    bags = [frozenset(normalise(example.text).folded.split()) for example in examples]
    holders: dict[str, list[int]] = defaultdict(list)
    rarity = Counter(word for bag in bags for word in bag)
    for i, bag in enumerate(bags):
        seen: set[int] = set()
        for word in sorted(bag, key=lambda w: (rarity[w], w))[: max(1, len(bag) // 4)]:
            seen.update(holders[word])
        for j in sorted(seen):
            shared = len(bag & bags[j]) / len(bag | bags[j])
            if shared >= _NEAR and examples[i].intent != examples[j].intent and len(bag) >= 4:
                findings.remarks.append(
                    f"nearly the same: {examples[j].intent} {examples[j].text!r}"
                    f" / {examples[i].intent} {examples[i].text!r}"
                )
        for word in bag:
            holders[word].append(i)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="nlu.check_data", description="Check the training data.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the training data (default: data/nlu)")
    options = parser.parse_args(arguments)
    examples = list(read(options.data))
    findings = check(examples, *domain())
    for line in findings.remarks:
        print(f"remark: {line}")
    for line in findings.errors:
        print(f"error: {line}")
    print(f"{len(examples)} examples, {len(findings.errors)} errors, {len(findings.remarks)} remarks")
    sys.exit(1 if findings.errors else 0)


if __name__ == "__main__":
    main()
