#!/usr/bin/env python3
"""Turns a text file into a C source with one NUL-terminated array: embed.py INPUT SYMBOL OUTPUT"""
import sys

source, symbol, target = sys.argv[1:]
with open(source, "rb") as file:
    data = file.read() + b"\0"
with open(target, "w", encoding="ascii") as out:
    out.write(f"extern const char {symbol}[];\nconst char {symbol}[] = {{\n")
    for start in range(0, len(data), 16):
        # (char) casts: bytes above 127 do not fit a signed char initialiser without them.
        out.write("    " + " ".join(f"(char){byte}," for byte in data[start:start + 16]) + "\n")
    out.write("};\n")
