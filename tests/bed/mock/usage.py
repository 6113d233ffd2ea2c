"""Tokens of one answer, the same each time and unlike one another, and ids that never repeat."""

import itertools

INPUT, OUTPUT, READ, WRITTEN_5M, WRITTEN_1H = 1000, 500, 20_000, 2000, 1000

_numbers = itertools.count(1)


def number():
    return next(_numbers)


def anthropic():
    written = {"ephemeral_5m_input_tokens": WRITTEN_5M, "ephemeral_1h_input_tokens": WRITTEN_1H}
    return {
        "input_tokens": INPUT,
        "output_tokens": OUTPUT,
        "cache_read_input_tokens": READ,
        "cache_creation_input_tokens": WRITTEN_5M + WRITTEN_1H,
        "cache_creation": written,
    }


def openai():
    total = INPUT + READ
    details = {"input_tokens_details": {"cached_tokens": READ}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {"input_tokens": total, "output_tokens": OUTPUT, "total_tokens": total + OUTPUT, **details}


def gemini():
    total = INPUT + READ
    return {"promptTokenCount": total, "cachedContentTokenCount": READ, "candidatesTokenCount": OUTPUT, "totalTokenCount": total + OUTPUT}
