// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
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

// The one place that says which of a kernel's variants exist.
static bool offered(const struct variant *v)
{
	bool many = strncmp(v->strategy, "fine-lock", 9) == 0; /* and fine-lock-lazy, ... */
	return !(many && v->lock && v->lock->single) && (!v->available || v->available());
}

// A kernel as it is offered: its declaration's copy, with a table of variants that can grow.
static int offer(struct kernel *copy, const struct kernel *declared)
{
	struct variant *variants = calloc(declared->variant_count + 1, sizeof *variants);
	size_t count = 0;
	if (!variants)
		return -ENOMEM;
	for (size_t i = 0; i < declared->variant_count; i++)
		if (offered(&declared->variants[i]))
			variants[count++] = declared->variants[i];
	*copy = *declared;
	copy->variants = variants;
	copy->variant_count = count;
	return 0;
}

// Sorted once, the same for all: link order means nothing.
static struct kernel *all_kernels(size_t *count)
{
	static struct kernel sorted[KERNELS_MOST];
	const struct kernel *declared[KERNELS_MOST];
	/* cppcheck-suppress comparePointers ; both lie in the section that the linker fills */
	size_t n = (size_t)(__stop_lockscale_kernels - __start_lockscale_kernels);
	if (n > KERNELS_MOST)
		abort();
	*count = n;
	if (sorted[0].name)
		return sorted;
	memcpy(declared, __start_lockscale_kernels, n * sizeof *declared);
	qsort(declared, n, sizeof *declared, by_name);
	for (size_t i = 0; i < n; i++)
		if (offer(&sorted[i], declared[i]) < 0)
			abort(); /* a few kilobytes at the start of a command */
	return sorted;
}

const struct kernel *const *catalog_kernels(size_t *count)
{
	static const struct kernel *list[KERNELS_MOST];
	struct kernel *k = all_kernels(count);
	for (size_t i = 0; i < *count && !list[i]; i++)
		list[i] = &k[i];
	return list;
}

// The variant that a further lock's is made of, where the one at i is the last of its strategy
// that has a lock: the one of the lock named `like`, or any.
static const struct variant *model(const struct kernel *k, size_t i, const char *like)
{
	const struct variant *v = &k->variants[i];
	if (!v->lock || !v->indirect)
		return NULL;
	for (size_t j = i + 1; j < k->variant_count; j++)
		if (k->variants[j].lock && strcmp(k->variants[j].strategy, v->strategy) == 0)
			return NULL;
	return like ? catalog_variant(k, v->strategy, like) : v;
}

static int add_variants(struct kernel *k, const struct lock_class *lock, const char *like)
{
	struct variant *more = calloc(2 * k->variant_count + 1, sizeof *more);
	size_t count = 0;
	if (!more)
		return -ENOMEM;
	for (size_t i = 0; i < k->variant_count; i++) {
		const struct variant *of = model(k, i, like);
		more[count++] = k->variants[i];
		if (!of)
			continue;
		more[count] = (struct variant){.strategy = of->strategy,
			.lock = lock,
			.batch = like ? of->batch : of->indirect,
			.indirect = of->indirect,
			.model = of->model,
			.operate = of->operate};
		count += offered(&more[count]);
	}
	free((void *)k->variants);
	k->variants = more;
	k->variant_count = count;
	return 0;
}

int catalog_add_lock(const struct lock_class *lock, const char *like)
{
	size_t count;
	struct kernel *k = all_kernels(&count);
	int rc = catalog_lock(lock->name) ? -EEXIST : 0;
	for (size_t i = 0; i < count && !rc; i++)
		rc = add_variants(&k[i], lock, like);
	return rc;
}

static int by_family(const void *a, const void *b)
{
	const struct lock_class *x = *(const struct lock_class *const *)a,
				*y = *(const struct lock_class *const *)b;
	return x->family != y->family ? (int)x->family - (int)y->family : strcmp(x->name, y->name);
}

size_t catalog_locks(const struct lock_class **locks, size_t most)
{
	size_t kernels, count = 0;
	const struct kernel *k = all_kernels(&kernels);
	for (size_t i = 0; i < kernels; i++)
		for (size_t j = 0; j < k[i].variant_count; j++) {
			const struct lock_class *lock = k[i].variants[j].lock;
			size_t known = 0;
			while (lock && known < count && strcmp(locks[known]->name, lock->name) != 0)
				known++;
			if (lock && known == count && count < most)
				locks[count++] = lock;
		}
	qsort(locks, count, sizeof *locks, by_family);
	return count;
}

const struct lock_class *catalog_lock(const char *name)
{
	size_t kernels;
	const struct kernel *k = all_kernels(&kernels);
	for (size_t i = 0; i < kernels; i++)
		for (size_t j = 0; j < k[i].variant_count; j++) {
			const struct lock_class *lock = k[i].variants[j].lock;
			if (lock && strcmp(lock->name, name) == 0)
				return lock;
		}
	return NULL;
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
