/* SPDX-License-Identifier: Apache-2.0 */
/*
 * objects.h - the columns of objects, and of processes that use them.  Rows of
 * both are counted in struct places: objects of its snapshot, or uses.
 */
#ifndef COSHM_REPORT_OBJECTS_H
#define COSHM_REPORT_OBJECTS_H

#include "columns.h"

extern const struct column_set object_columns, use_columns;

#endif /* COSHM_REPORT_OBJECTS_H */
