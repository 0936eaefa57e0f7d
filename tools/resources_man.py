#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes docs/man/herald-resources.5 of docs/reference/resources.md, so that the two cannot differ.

    tools/resources_man.py            writes the manual page
    tools/resources_man.py --check    says whether it is up to date (exit code 1: it is not)

Reads the little Markdown that the reference is written in: headings, paragraphs, lists, tables, fenced examples,
`code`, *emphasis*, **strong** and links.
"""

import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "docs/reference/resources.md"
TARGET = ROOT / "docs/man/herald-resources.5"

HEAD = r""".\" SPDX-License-Identifier: Apache-2.0
.\" Made by tools/resources_man.py; edit docs/reference/resources.md instead.
.Dd November 25, 2026
.Dt HERALD-RESOURCES 5
.Os
.Sh NAME
.Nm herald-resources
.Nd resources of Herald, field by field
.Sh DESCRIPTION
"""

TAIL = r""".Sh SEE ALSO
.Xr heraldctl 1 ,
.Xr herald-controller 8 ,
.Xr herald-speaker 8
.Pp
RFC 2385, RFC 2918, RFC 4271, RFC 4486, RFC 5082, RFC 9003.
"""


def escape(text):
    text = text.replace("\\", "\\e").replace("…", "...")
    return text


def inline(text):
    """Markdown within a line as roff escapes."""
    out = []
    for part in re.split(r"(`[^`]+`)", text):
        if part.startswith("`") and part.endswith("`"):
            out.append(r"\fB" + escape(part[1:-1]).replace("-", r"\-") + r"\fP")
            continue
        part = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", escape(part))
        part = re.sub(r"\*\*([^*]+)\*\*", r"\\fB\1\\fP", part)
        part = re.sub(r"\*([^*]+)\*", r"\\fI\1\\fP", part)
        out.append(part)
    return "".join(out)


def paragraph(text):
    """A sentence begins a line, as mdoc wants it; a line must not begin like a request."""
    lines = []
    for sentence in re.split(r"(?<=[.]) +(?=[A-Z`*])", text):
        lines += textwrap.wrap(inline(sentence.strip()), 76, break_long_words=False, break_on_hyphens=False)
    return "\n".join((r"\&" if line.startswith((".", "'")) else "") + line for line in lines)



def cells(row):
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def field_item(row):
    path, kind, fallback, allowed, change, meaning = (row + [""] * 6)[:6]
    facts = [kind]
    if fallback:
        facts.append(fallback if fallback.startswith("required") else "default " + fallback)
    if allowed:
        facts.append(allowed)
    if change:
        facts.append(change)
    return ".It Sy " + path.strip("`") + "\n" + paragraph("; ".join(facts) + ".") + "\n" + paragraph(meaning)


def table(rows):
    head, body = cells(rows[0]), [cells(row) for row in rows[2:]]
    out = [".Bl -tag -width Ds"]
    for row in body:
        if head[0] == "Field":
            out.append(field_item(row))
        else:
            out.append(".It " + inline(row[0]) + "\n" + paragraph("; ".join(cell for cell in row[1:] if cell) or "as there"))
    out.append(".El")
    return "\n".join(out)


def blocks(lines):
    """(kind, lines) for every block of the page."""
    block, kind = [], None
    fenced = False
    for line in lines:
        if line.startswith("```"):
            if block and not fenced:
                yield kind, block
            if fenced:
                yield "example", block
            block, kind, fenced = [], None, not fenced
            continue
        if fenced:
            block.append(line)
            continue
        this = ("heading" if line.startswith("#") else "table" if line.startswith("|") else "list" if line.startswith("- ")
                else None if not line.strip() else "list" if kind == "list" and line.startswith("  ") else "text")
        if this != kind or this == "heading":
            if block:
                yield kind, block
            block, kind = [], this
        if this:
            block.append(line)
    if block:
        yield kind, block


def render(markdown):
    out = []
    after_heading = True
    markdown = markdown.partition("\n## This page\n")[0]  # for those who work on it
    for kind, lines in blocks(markdown.splitlines()):
        if kind == "heading":
            level, title = lines[0].split(" ", 1)
            if len(level) == 1:
                after_heading = True
                continue
            out.append((".Ss " if len(level) == 2 else ".Pp\n.Sy ") + inline(title))
        elif kind == "text":
            out.append(("" if after_heading else ".Pp\n") + paragraph(" ".join(line.strip() for line in lines)))
        elif kind == "list":
            items = re.split(r"\n- ", "\n" + "\n".join(lines))[1:]
            out.append(".Bl -bullet\n" + "\n".join(".It\n" + paragraph(" ".join(item.split())) for item in items) + "\n.El")
        elif kind == "table":
            out.append(table(lines))
        else:
            out.append(".Bd -literal -offset indent\n" + "\n".join(escape(line) for line in lines) + "\n.Ed")
        after_heading = kind == "heading"
    return HEAD + "\n".join(out) + "\n" + TAIL


def main():
    page = render(SOURCE.read_text(encoding="utf-8"))
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != page:
            sys.exit(f"{TARGET.relative_to(ROOT)} does not follow {SOURCE.relative_to(ROOT)}: run tools/resources_man.py")
        return
    TARGET.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
