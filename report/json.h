/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - a snapshot and rows of it as JSON.  Names of members stay as they
 * are: programs read them.
 */
#ifndef COSHM_REPORT_JSON_H
#define COSHM_REPORT_JSON_H

#include <jansson.h>

#include "columns.h"
#include "places.h"

/* Made printable first, so that it is never refused; "" is null. */
json_t *json_printable(struct memory *m, const char *text);

/* 63 bits wide, as JSON libraries have them. */
json_t *json_number(uint64_t number);

/* All columns of a row, by their names in small letters. */
json_t *json_row(const struct column_set *set, const struct rows *rows, unsigned int row);

json_t *json_namespaces(const struct places *p, struct memory *m);
json_t *json_areas(const struct places *p, struct memory *m);
json_t *json_containers(const struct snapshot *s, struct memory *m);
json_t *json_texts(struct memory *m, const char *const *text, unsigned int count);

/* On standard output, and gone.  0 or -ENOMEM, also for NULL. */
int json_print(json_t *root);

#endif /* COSHM_REPORT_JSON_H */
