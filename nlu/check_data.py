"""Checks the training data: ``python -m nlu.check_data``; ends with status 1 when something is wrong.

Errors: a label of the domain with fewer than 30 examples, an unknown label or entity, an empty example, the same text
under two labels, more than one in a hundred messages of the test set in the training data. Also reported: the same text
twice under one label, near-duplicates across labels and with the test set, and families of one template.
"""

import argparse
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from nlu.corpus import DATA, TEST_SET, Annotated, domain, held_out_texts, read
from nlu.entities.mentions import understood
from nlu.text.reading import Reading
from nlu.text.views import normalise

FEWEST = 30
_LEAST_WORDS = 5
_FAMILY = 4
_LEAKED_AT_MOST = 0.01
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


@cache
def _reading(text: str) -> Reading:
    return understood(text)


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


def leaks(examples: Sequence[Annotated], held_out: Sequence[str]) -> Findings:
    """Training examples that are, or nearly are, messages of the test set; marks and values aside."""
    findings = Findings()
    same: set[int] = set()
    masked = [(text, _reading(text).masked) for text in held_out]
    asked = [(text, reading, frozenset(reading.split())) for text, reading in masked]
    holders: dict[str, list[int]] = defaultdict(list)
    for i, (_, _, bag) in enumerate(asked):
        for word in bag:
            holders[word].append(i)
    for example in examples:
        reading = _reading(example.text).masked
        bag = frozenset(reading.split())
        if len(bag) < _LEAST_WORDS:
            continue
        rarest = sorted(bag, key=lambda word: (len(holders.get(word, ())), word))
        needed = len(bag) - math.ceil(_NEAR * len(bag)) + 1  # a near one shares at least one of so many words
        for i in sorted({i for word in rarest[:needed] for i in holders.get(word, ())}):
            text, other, words = asked[i]
            if reading == other:
                same.add(i)
                findings.remarks.append(f"{example.file}: also in the test set: {example.text!r}")
            elif len(bag & words) / len(bag | words) >= _NEAR:
                findings.remarks.append(f"{example.file}: near the test set: {example.text!r} / {text!r}")
    if len(same) > _LEAKED_AT_MOST * len(held_out):
        findings.errors.append(f"{len(same)} of {len(held_out)} messages of the test set are in the training data")
    return findings


def families(examples: Sequence[Annotated]) -> "list[str]":
    """Examples of one intent that differ only in their values, four or more of a kind."""
    members: dict[tuple[str, str], list[str]] = defaultdict(list)
    for example in examples:
        reading = _reading(example.text)
        if reading.kinds and len(reading.masked.split()) > len(reading.kinds):
            members[example.intent, reading.masked].append(example.text)
    return [
        f"{len(texts)} of one template under {intent}: {texts[0]!r}"
        for (intent, _), texts in sorted(members.items())
        if len(texts) >= _FAMILY
    ]


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
    leaked = leaks(examples, held_out_texts(TEST_SET))
    findings.errors += leaked.errors
    findings.remarks += leaked.remarks + families(examples)
    for line in findings.remarks:
        print(f"remark: {line}")
    for line in findings.errors:
        print(f"error: {line}")
    print(f"{len(examples)} examples, {len(findings.errors)} errors, {len(findings.remarks)} remarks")
    sys.exit(1 if findings.errors else 0)


if __name__ == "__main__":
    main()
