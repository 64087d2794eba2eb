// SPDX-License-Identifier: BSD-2-Clause
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog.h"
#include "foreign.h"
#include "indirect.h"

/* Plugins. */

char *foreign_name(const char *path, char *buf, size_t size)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	if (strncmp(base, "lib", 3) == 0 && base[3] && base[3] != '.')
		base += 3;
	size_t length = strlen(base);
	if (length > 3 && strcmp(base + length - 3, ".so") == 0)
		length -= 3;
	snprintf(buf, size, "%.*s", (int)length, base);
	return buf;
}

// Names end up in variants' names, patterns and tables.
static int check_name(const char *path, const char *name, struct error *e)
{
	size_t good = 0;
	while (isalnum((unsigned char)name[good]) || (name[good] && strchr("_.+-", name[good])))
		good++;
	if (!*name || name[good] || strlen(name) >= NAME_LEN - 1)
		return error_set(e, EINVAL,
			"--lock-plugin %s: the lock would be called '%s'; rename the file: 1 to %d "
			"letters, digits and _ . + - are accepted",
			path, name, NAME_LEN - 2);
	return 0;
}

static int load_verbs(struct lock_class *c, void *object, const char *path, struct error *e)
{
	const struct {
		const char *name;
		void **verb;
	} verbs[] = {{"init", (void **)&c->init}, {"acquire", (void **)&c->acquire},
		{"try_acquire", (void **)&c->try_acquire}, {"release", (void **)&c->release},
		{"fini", (void **)&c->fini}};
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		*verbs[i].verb = dlsym(object, verbs[i].name);
		if (!*verbs[i].verb)
			return error_set(e, EINVAL,
				"--lock-plugin %s: it has no symbol '%s'; a lock plugin exports "
				"init, acquire, try_acquire, release and fini (see "
				"docs/your-lock.md)",
				path, verbs[i].name);
	}
	return 0;
}

// lock_size, declared as size_t or unsigned: the symbol knows how long it is. 0 if it is neither.
static size_t lock_size(void *object)
{
	const void *size = dlsym(object, "lock_size");
	ElfW(Sym) *symbol = NULL;
	Dl_info info;
	if (!size)
		return LOCK_SIZE;
	if (!dladdr1(size, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
		return 0;
	return symbol->st_size == sizeof(size_t)     ? *(const size_t *)size
	       : symbol->st_size == sizeof(unsigned) ? *(const unsigned *)size
						     : 0;
}

static int load_rest(struct lock_class *c, void *object, const char *path, struct error *e)
{
	*(void **)&c->retire = dlsym(object, "retire");
	*(void **)&c->execute = dlsym(object, "execute");
	*(void **)&c->safepoint = dlsym(object, "safepoint");
	*(void **)&c->read_acquire = dlsym(object, "read_acquire");
	*(void **)&c->read_try_acquire = dlsym(object, "read_try_acquire");
	*(void **)&c->read_release = dlsym(object, "read_release");
	int reads = !!c->read_acquire + !!c->read_try_acquire + !!c->read_release;
	if (reads != 0 && reads != 3)
		return error_set(e, EINVAL,
			"--lock-plugin %s: of read_acquire, read_try_acquire and read_release it "
			"has only %d; all three or none are accepted",
			path, reads);
	if (reads)
		c->family = LOCK_READER_WRITER;
	const bool *fifo = dlsym(object, "lock_fifo");
	const char *summary = dlsym(object, "lock_summary");
	c->size = lock_size(object);
	c->fifo = fifo && *fifo;
	c->summary = summary ? summary : "a plugin";
	if (c->size < 1 || c->size > LOCK_SIZE)
		return error_set(e, EINVAL,
			"--lock-plugin %s: lock_size is %zu; 1 to %d are accepted: what is larger "
			"is allocated in init and freed in fini",
			path, c->size, LOCK_SIZE);
	return 0;
}

// Classes are few and live as long as the process, as what they point to does.
static int load_plugin(struct lock_class **class, const char *path, struct error *e)
{
	char name[256], *source = NULL;
	foreign_name(path, name, sizeof name);
	if (access(path, F_OK) < 0)
		return error_set(e, ENOENT, "--lock-plugin %s: %s", path, strerror(errno));
	int rc = check_name(path, name, e);
	if (rc)
		return rc;
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!object)
		return error_set(
			e, EINVAL, "--lock-plugin %s: it cannot be loaded: %s", path, dlerror());
	struct lock_class *c = calloc(1, sizeof *c);
	if (!c || !(c->name = strdup(name)) || asprintf(&source, "plugin %s", path) < 0)
		return error_set(e, ENOMEM, "--lock-plugin %s: no memory", path);
	c->source = source;
	rc = load_verbs(c, object, path, e);
	if (!rc)
		rc = load_rest(c, object, path, e);
	*class = c;
	return rc;
}

static int add_plugin(const char *path, struct error *e)
{
	struct lock_class *c;
	int rc = load_plugin(&c, path, e);
	if (!rc && catalog_add_lock(c, NULL) < 0)
		rc = error_set(e, EINVAL,
			"--lock-plugin %s: there is a lock named '%s' already; rename the file, "
			"whose name is the lock's",
			path, c->name);
	return rc;
}

/* A copy of a lock of ours under another name. */

static int add_copy(const char *of, const char *name, const char *summary, const char *like)
{
	const struct lock_class *original = catalog_lock(of);
	struct lock_class *c = original ? malloc(sizeof *c) : NULL;
	if (!c)
		return original ? -ENOMEM : -ENOENT;
	*c = *original;
	c->name = name;
	c->summary = summary;
	c->standard = false;
	return catalog_add_lock(c, like);
}

int foreign_add(const json_t *plugins, bool interposed, struct error *e)
{
	size_t i;
	json_t *path;
	int rc = 0;
	/* First, so that a plugin of one of these names is refused. A build without `tas` measures
	 * everything else. */
	if (json_array_size(plugins) > 0)
		add_copy(INLINED_LOCK, INDIRECT_LOCK, "tas, called through pointers", NULL);
	/* By mutex's own code: both are then called alike, and differ in the library alone. */
	if (interposed)
		rc = add_copy(
			"mutex", INTERPOSED_LOCK, "the preloaded library's pthread_mutex", "mutex");
	if (rc)
		return error_set(e, -rc, "--interpose: this lockscale has no lock 'mutex'");
	json_array_foreach (plugins, i, path) {
		rc = add_plugin(json_string_value(path), e);
		if (rc)
			return rc;
	}
	return 0;
}

/* Interposition. */

static const char *object_of(void *address)
{
	Dl_info info;
	return address && dladdr(address, &info) && info.dli_fname ? info.dli_fname : "";
}

// Whether the object is this C library: of old in two parts, of which either may be asked.
static bool is_c_library(const char *object)
{
	static const char *const parts[] = {"libc.so.6", "libpthread.so.0"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		void *part = dlopen(parts[i], RTLD_LAZY | RTLD_NOLOAD);
		void *own = part ? dlsym(part, "pthread_mutex_lock") : NULL;
		bool same = own && strcmp(object, object_of(own)) == 0;
		if (part)
			dlclose(part);
		if (same)
			return true;
	}
	return false;
}

int foreign_check_interposed(const char *preload, struct error *e)
{
	const char *object = object_of(dlsym(RTLD_DEFAULT, "pthread_mutex_lock"));
	if (!is_c_library(object))
		return 0;
	return error_set(e, ENOENT,
		"--interpose %s: it provides no pthread_mutex_lock: that still comes from %s",
		preload, object);
}
