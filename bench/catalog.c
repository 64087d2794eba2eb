// SPDX-License-Identifier: BSD-2-Clause
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"

// The linker collects what KERNEL() puts into this section, and names its ends.
extern const struct kernel *const __start_lockscale_kernels[];
extern const struct kernel *const __stop_lockscale_kernels[];

enum { KERNELS_MOST = 256 };

static int by_name(const void *a, const void *b)
{
	const struct kernel *x = *(const struct kernel *const *)a,
			    *y = *(const struct kernel *const *)b;
	int x_first = strcmp(x->name, "control") == 0, y_first = strcmp(y->name, "control") == 0;
	return x_first != y_first ? y_first - x_first : strcmp(x->name, y->name);
}

const struct kernel *const *catalog_kernels(size_t *count)
{
	/* Sorted once, the same for all: link order means nothing. */
	static const struct kernel *sorted[KERNELS_MOST];
	/* cppcheck-suppress comparePointers ; both lie in the section that the linker fills */
	size_t n = (size_t)(__stop_lockscale_kernels - __start_lockscale_kernels);
	if (n > KERNELS_MOST)
		abort();
	if (!sorted[0]) {
		memcpy(sorted, __start_lockscale_kernels, n * sizeof *sorted);
		qsort(sorted, n, sizeof *sorted, by_name);
	}
	*count = n;
	return sorted;
}

static bool has_param(const struct kernel *k, const char *name, size_t size)
{
	for (const struct param *p = k->params; p && p->name; p++)
		if (strlen(p->name) == size && strncmp(p->name, name, size) == 0)
			return true;
	return false;
}

// Whether the text is "name=value,name=value", all of them parameters of k.
static bool can_be_set(const struct kernel *k, const char *setting)
{
	for (;;) {
		size_t size = strcspn(setting, ",="), rest = strcspn(setting, ",");
		if (setting[size] != '=' || size + 1 == rest || !has_param(k, setting, size))
			return false;
		if (!setting[rest])
			return true;
		setting += rest + 1;
	}
}

const struct kernel *catalog_kernel(const char *name)
{
	size_t count, size = strcspn(name, "@");
	const struct kernel *const *k = catalog_kernels(&count);
	for (size_t i = 0; i < count; i++)
		if (strlen(k[i]->name) == size && strncmp(k[i]->name, name, size) == 0)
			return !name[size] || can_be_set(k[i], name + size + 1) ? k[i] : NULL;
	return NULL;
}

bool catalog_setting(const char *instance, const char *param, char *value, size_t size)
{
	const char *s = strchr(instance, '@');
	size_t length = strlen(param);
	for (; s; s = strchr(s + 1, ','))
		if (strncmp(s + 1, param, length) == 0 && s[1 + length] == '=') {
			const char *text = s + length + 2;
			snprintf(value, size, "%.*s", (int)strcspn(text, ","), text);
			return true;
		}
	return false;
}

const struct variant *catalog_variant(
	const struct kernel *k, const char *strategy, const char *lock)
{
	for (size_t i = 0; i < k->variant_count; i++) {
		const struct variant *v = &k->variants[i];
		if (strcmp(v->strategy, strategy) == 0 &&
			strcmp(v->lock ? v->lock->name : "", lock) == 0)
			return v;
	}
	return NULL;
}

char *catalog_name(const struct kernel *k, const struct variant *v, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s%s%s", k->name, v->strategy, v->lock ? "/" : "",
		v->lock ? v->lock->name : "");
	return buf;
}

bool catalog_match(const char *pattern, const char *name)
{
	char below[512];
	snprintf(below, sizeof below, "%s/*", pattern);
	return fnmatch(pattern, name, 0) == 0 || fnmatch(below, name, 0) == 0;
}
