/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts.h - parsers of texts that strangers wrote, to be fuzzed.
 *
 * Each gets valid texts, damaged: texts.c.  It checks what comes out and aborts
 * where that cannot be; the rest is the sanitizers' business.
 */
#ifndef COSHM_FUZZ_TEXTS_H
#define COSHM_FUZZ_TEXTS_H

#include <stddef.h>

struct text_target {
	const char *name;
	void (*parse)(const char *text, size_t length);
	const char *const *seeds; /* ends with NULL */
};

/* texts_engine.c, texts_scan.c; the last one has no name */
extern const struct text_target engine_targets[], scan_targets[];

#endif /* COSHM_FUZZ_TEXTS_H */
