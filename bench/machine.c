// SPDX-License-Identifier: BSD-2-Clause
// Loads a topology through hwloc and flattens it into the list of PUs that the rest of the
// program works with. hwloc 2.x, https://www.open-mpi.org/projects/hwloc/doc/

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <hwloc.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"

#define ACCEPTED                                                                                   \
	"give an hwloc XML file (lstopo machine.xml writes one) or a description such as "         \
	"'pack:2 numa:2 l3:1 core:16 pu:2'"

enum {
	XML_MAX = 16 << 20,          // bytes; a 448-PU machine needs 0.3 MB
	SYNTHETIC_PUS_MAX = 1 << 12, // four times as many take hwloc over a minute
	TRIAL_SECONDS = 20,
};

// Where a topology comes from: both null for this machine.
struct source {
	char *xml;       // owned, 0-terminated
	size_t xml_size; // with the terminator
	char *synthetic; // owned
};

static int read_all(int fd, struct source *s)
{
	size_t room = 0, n = 0;

	for (;;) {
		if (n + 1 >= room) {
			room = room ? 2 * room : 1 << 16;
			char *grown = room <= XML_MAX ? realloc(s->xml, room) : NULL;
			if (!grown)
				return room > XML_MAX ? -EFBIG : -ENOMEM;
			s->xml = grown;
		}
		ssize_t got = read(fd, s->xml + n, room - n - 1);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	s->xml[n] = 0;
	s->xml_size = n + 1;
	return 0;
}

// hwloc 2 fails without a word, or crashes, on the XML format of hwloc 3: the version that
// the root element states is looked at before hwloc is.
static int check_xml(const struct source *s, const char *name, struct error *e)
{
	if (s->xml_size == 1)
		return error_set(e, EINVAL, "topology '%s' is an empty file; " ACCEPTED, name);

	const char *root = strstr(s->xml, "<topology");
	if (!root || strlen(s->xml) + 1 != s->xml_size)
		return error_set(
			e, EINVAL, "topology '%s' is not an hwloc XML file; " ACCEPTED, name);

	const char *version = strstr(root, "version=");
	const char *end = strchr(root, '>');
	if (!version || !end || version > end)
		return 0; // hwloc 1 wrote none; hwloc 2 reads that format

	unsigned long major = strtoul(version + strlen("version=") + 1, NULL, 10);
	unsigned ours = hwloc_get_api_version() >> 16;
	if (major <= ours)
		return 0;
	return error_set(e, EINVAL,
		"topology '%s' is in the format of hwloc %lu, newer than the hwloc %u in use; "
		"export it "
		"again in the older format: with hwloc %lu, lstopo --input '%s' --export-xml-flags "
		"v2 "
		"new.xml; or, on the machine itself with hwloc %u, lstopo new.xml",
		name, major, ours, major, name, ours);
}

static int read_xml(struct source *s, int fd, const char *name, struct error *e)
{
	struct stat st;

	if (!fstat(fd, &st) && S_ISDIR(st.st_mode))
		return error_set(e, EISDIR, "topology '%s' is a directory; " ACCEPTED, name);

	int err = read_all(fd, s);
	if (err == -EFBIG)
		return error_set(e, EFBIG, "topology '%s' is larger than %d MB; " ACCEPTED, name,
			XML_MAX >> 20);
	if (err)
		return error_set(
			e, -err, "cannot read topology '%s': %s; " ACCEPTED, name, strerror(-err));
	return check_xml(s, name, e);
}

// How many PUs a synthetic description would make, ULONG_MAX where beyond counting: hwloc
// builds "pack:99999 core:99999" until memory is gone.
static unsigned long synthetic_pus(const char *text)
{
	unsigned long product = 1;

	while (*text) {
		if (*text == '(' || *text == '[') { // attributes and attached memory: no PUs
			text += strcspn(text, ")]");
			text += *text != 0;
			continue;
		}
		size_t word = strcspn(text, " \t\n([");
		const char *colon = memchr(text, ':', word);
		const char *number = colon ? colon + 1 : text;
		if (isdigit((unsigned char)*number)) {
			unsigned long n = strtoul(number, NULL, 10);
			if (n && product > ULONG_MAX / n)
				return ULONG_MAX;
			product *= n;
		}
		text += word;
		text += strspn(text, " \t\n");
	}
	return product;
}

// hwloc wants PUs said; "pack:2 core:4" means one a core.
static char *complete_synthetic(const char *text)
{
	const char *last = strrchr(text, ' ');
	bool ends_in_cores = !strncasecmp(last ? last + 1 : text, "core:", 5);
	size_t room = strlen(text) + sizeof " pu:1";
	char *full = malloc(room);

	if (full)
		snprintf(full, room, "%s%s", text, ends_in_cores ? " pu:1" : "");
	return full;
}

static int source_open(struct source *s, const char *name, struct error *e)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		int err = read_xml(s, fd, name, e);
		close(fd);
		return err;
	}
	int err = errno;
	size_t n = strlen(name);
	bool path = strchr(name, '/') || (n >= 4 && !strcmp(name + n - 4, ".xml"));
	bool absent = err == ENOENT || err == ENOTDIR || err == ENAMETOOLONG;
	if (path || !absent)
		return error_set(e, err, "cannot read topology '%.200s': %s; " ACCEPTED, name,
			strerror(err));

	if (synthetic_pus(name) > SYNTHETIC_PUS_MAX)
		return error_set(e, EINVAL, "topology '%.200s' has more than %d PUs; " ACCEPTED,
			name, SYNTHETIC_PUS_MAX);
	s->synthetic = complete_synthetic(name);
	return s->synthetic ? 0
			    : error_set(e, ENOMEM, "not enough memory for topology '%.200s'", name);
}

// I/O devices, instruction caches and Misc objects are left out, and hwloc is kept from moving
// the calling thread over every PU to read CPUID: on a large server those are what takes long,
// and nothing here needs them. Disallowed PUs are kept: the whole machine is described, and the
// allowed part of it is marked.
static int open_topology(hwloc_topology_t *topology, const struct source *s)
{
	hwloc_topology_t t = NULL;
	unsigned long flags =
		HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED | HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING;

	if (hwloc_topology_init(&t) < 0)
		return -ENOMEM;
	int err = hwloc_topology_set_flags(t, flags);
	if (!err)
		err = hwloc_topology_set_io_types_filter(t, HWLOC_TYPE_FILTER_KEEP_NONE);
	if (!err)
		err = hwloc_topology_set_icache_types_filter(t, HWLOC_TYPE_FILTER_KEEP_NONE);
	if (!err)
		err = hwloc_topology_set_type_filter(
			t, HWLOC_OBJ_MISC, HWLOC_TYPE_FILTER_KEEP_NONE);
	if (!err && s->xml)
		err = hwloc_topology_set_xmlbuffer(t, s->xml, (int)s->xml_size);
	if (!err && s->synthetic)
		err = hwloc_topology_set_synthetic(t, s->synthetic);
	if (!err)
		err = hwloc_topology_load(t);
	if (err) {
		err = errno ? -errno : -EINVAL;
		hwloc_topology_destroy(t);
		return err;
	}
	*topology = t;
	return 0;
}

static unsigned count_type(hwloc_topology_t t, hwloc_obj_type_t type)
{
	int n = hwloc_get_nbobjs_by_type(t, type);
	return n > 0 ? (unsigned)n : 1; // absent, or on several levels: the machine is one of it
}

// The smallest node around the PU; of several with one set of PUs (DRAM and HBM) the one with the
// lowest number, which is the one the system fills by default.
// The outermost cache above a PU within its package, named by its first PU.
static unsigned outermost_cache(hwloc_obj_t pu)
{
	hwloc_obj_t last = pu;
	for (hwloc_obj_t o = pu; o && o->type != HWLOC_OBJ_PACKAGE; o = o->parent)
		if (hwloc_obj_type_is_dcache(o->type))
			last = o;
	return (unsigned)hwloc_bitmap_first(last->complete_cpuset);
}

static unsigned nearest_numa(hwloc_topology_t t, hwloc_obj_t pu)
{
	hwloc_obj_t best = NULL, node = NULL;
	int best_weight = 0;

	while ((node = hwloc_get_next_obj_by_type(t, HWLOC_OBJ_NUMANODE, node))) {
		if (!hwloc_bitmap_isset(node->cpuset, pu->os_index))
			continue;
		int weight = hwloc_bitmap_weight(node->cpuset);
		bool nearer = !best || weight < best_weight ||
			      (weight == best_weight && node->os_index < best->os_index);
		if (nearer) {
			best = node;
			best_weight = weight;
		}
	}
	return best ? best->logical_index : 0;
}

// 1 where hwloc knows one kind or cannot say which is faster.
static unsigned count_kinds(hwloc_topology_t t)
{
	int efficiency = -1, n = hwloc_cpukinds_get_nr(t, 0);

	if (n < 2 || hwloc_cpukinds_get_info(t, 0, NULL, &efficiency, NULL, NULL, 0) < 0)
		return 1;
	return efficiency < 0 ? 1 : (unsigned)n;
}

static int kind_of(hwloc_topology_t t, hwloc_obj_t pu)
{
	int efficiency = 0;
	int kind = hwloc_cpukinds_get_by_cpuset(t, pu->cpuset, 0);

	if (kind >= 0)
		hwloc_cpukinds_get_info(t, (unsigned)kind, NULL, &efficiency, NULL, NULL, 0);
	return efficiency > 0 ? efficiency : 0;
}

// Narrows the topology's allowed set to the caller's binding too (taskset, sbatch), which hwloc
// does not do, so that an exported file tells what was allowed.
static void mark_allowed(hwloc_topology_t t)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();

	if (set && !hwloc_get_cpubind(t, set, HWLOC_CPUBIND_THREAD)) {
		hwloc_bitmap_and(set, set, hwloc_topology_get_allowed_cpuset(t));
		if (!hwloc_bitmap_iszero(set))
			hwloc_topology_allow(t, set, NULL, HWLOC_ALLOW_FLAG_CUSTOM);
	}
	hwloc_bitmap_free(set);
}

// Walks the PUs in logical order, in which those of one core follow each other. A PU outside of
// any core (some virtual machines describe none) is its own core.
static int collect_pus(struct machine *m)
{
	hwloc_topology_t t = m->topology;
	hwloc_const_cpuset_t allowed = hwloc_topology_get_allowed_cpuset(t);
	hwloc_obj_t pu = NULL, last_core = NULL;
	unsigned rank = 0;

	m->pus = count_type(t, HWLOC_OBJ_PU);
	m->pu = calloc(m->pus, sizeof *m->pu);
	if (!m->pu)
		return -ENOMEM;
	while ((pu = hwloc_get_next_obj_by_type(t, HWLOC_OBJ_PU, pu))) {
		hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(t, HWLOC_OBJ_CORE, pu);
		if (!core || core != last_core) {
			last_core = core;
			m->cores++;
			rank = 0;
		}
		if (!hwloc_bitmap_isset(allowed, pu->os_index))
			continue;

		hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(t, HWLOC_OBJ_PACKAGE, pu);
		m->pu[m->allowed_pus++] = (struct machine_pu){
			.os = pu->os_index,
			.core = m->cores - 1,
			.package = package ? package->logical_index : 0,
			.numa = nearest_numa(t, pu),
			.cache = outermost_cache(pu),
			.smt_rank = rank,
			.kind = m->kinds > 1 ? kind_of(t, pu) : 0,
		};
		m->allowed_cores += rank++ == 0;
	}
	return m->allowed_pus ? 0 : -ENODEV;
}

// Copies without the runs of blanks that CPU vendors pad their names with.
static void copy_name(char *to, size_t room, const char *from)
{
	size_t n = 0;

	for (; *from && n + 1 < room; from++) {
		unsigned char c = (unsigned char)*from;
		if (isspace(c) && (n == 0 || to[n - 1] == ' '))
			continue;
		to[n++] = isspace(c) ? ' ' : *from;
	}
	while (n && to[n - 1] == ' ')
		n--;
	to[n] = 0;
}

static void cpu_from_proc(struct machine *m)
{
	static const char *const keys[] = {"model name", "cpu model", "uarch", "cpu\t"};
	char line[512];
	FILE *f = fopen("/proc/cpuinfo", "re");

	while (f && !m->cpu[0] && fgets(line, sizeof line, f)) {
		const char *colon = strchr(line, ':');
		for (size_t i = 0; colon && i < sizeof keys / sizeof *keys; i++)
			if (!strncmp(line, keys[i], strlen(keys[i])))
				copy_name(m->cpu, sizeof m->cpu, colon + 1);
	}
	if (f)
		fclose(f);
}

static void find_cpu(struct machine *m)
{
	hwloc_topology_t t = m->topology;
	hwloc_obj_t package = hwloc_get_obj_by_type(t, HWLOC_OBJ_PACKAGE, 0);
	const char *name = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : NULL;

	if (!name)
		name = hwloc_obj_get_info_by_name(hwloc_get_root_obj(t), "CPUModel");
	if (name)
		copy_name(m->cpu, sizeof m->cpu, name);
	if (!m->cpu[0] && m->this_machine)
		cpu_from_proc(m);
	if (!m->cpu[0])
		copy_name(m->cpu, sizeof m->cpu, "unknown");
}

static int load_source(struct machine *m, const struct source *s)
{
	hwloc_topology_t t = NULL;

	*m = (struct machine){0};
	int err = open_topology(&t, s);
	if (err)
		return err;
	m->topology = t;
	m->this_machine = !s->xml && !s->synthetic && hwloc_topology_is_thissystem(t);
	if (m->this_machine)
		mark_allowed(t);
	m->packages = count_type(t, HWLOC_OBJ_PACKAGE);
	m->numa_nodes = count_type(t, HWLOC_OBJ_NUMANODE);
	m->kinds = count_kinds(t);
	err = collect_pus(m);
	if (err) {
		machine_unload(m);
		return err;
	}
	int complete = hwloc_bitmap_weight(hwloc_topology_get_complete_cpuset(t));
	m->hidden_pus = complete > (int)m->pus ? (unsigned)complete - m->pus : 0;
	find_cpu(m);
	return 0;
}

// hwloc 2.9 crashes on some damaged files (about 2 % of randomly damaged ones), so a child loads
// first, silently; its fate says whether the parent may. Returns 0 or a negative errno.
static int try_in_child(const struct source *s)
{
	pid_t child = fork();

	if (child < 0)
		return 0; // no room for a child: hope for the best, as without this trial
	if (child == 0) {
		struct machine m;
		struct rlimit no_core = {0, 0};
		int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(nowhere, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
		setrlimit(RLIMIT_CORE, &no_core);
		prctl(PR_SET_DUMPABLE, 0);
		alarm(TRIAL_SECONDS);
		int err = load_source(&m, s);
		_exit(err == -ENODEV ? 2 : err ? 1 : 0);
	}
	int status;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 0; // someone ignores SIGCHLD: no fate to learn
	if (!WIFEXITED(status))
		return -EFAULT;
	return WEXITSTATUS(status) == 0 ? 0 : WEXITSTATUS(status) == 2 ? -ENODEV : -EINVAL;
}

static int refuse(const struct source *s, const char *name, int err, struct error *e)
{
	if (!name)
		return error_set(
			e, -err, "cannot read this machine's topology: %s", strerror(-err));
	if (err == -ENODEV)
		return error_set(e, EINVAL, "topology '%.200s' allows no PU; " ACCEPTED, name);
	if (err == -EFAULT)
		return error_set(e, EINVAL,
			"topology '%.200s' is damaged (hwloc crashes on it); " ACCEPTED, name);
	if (s->xml)
		return error_set(
			e, EINVAL, "topology '%.200s' is not valid hwloc XML; " ACCEPTED, name);
	return error_set(e, EINVAL,
		"topology '%.200s' is neither a file nor a description that hwloc "
		"understands; " ACCEPTED,
		name);
}

int machine_load(struct machine *m, const char *topology, struct error *e)
{
	struct source s = {0};
	int err = topology ? source_open(&s, topology, e) : 0;

	*m = (struct machine){0};
	if (!err) {
		err = topology ? try_in_child(&s) : 0;
		if (!err)
			err = load_source(m, &s);
		if (err)
			err = refuse(&s, topology, err, e);
	}
	free(s.xml);
	free(s.synthetic);
	return err;
}

void machine_unload(struct machine *m)
{
	if (m->topology)
		hwloc_topology_destroy(m->topology);
	free(m->pu);
	*m = (struct machine){0};
}

int machine_export(const struct machine *m, const char *path)
{
	errno = 0;
	if (hwloc_topology_export_xml(m->topology, path, 0) < 0)
		return errno ? -errno : -EIO;
	return 0;
}

int machine_pin(const struct machine *m, unsigned os)
{
	if (!m->this_machine)
		return -ENOTSUP;

	hwloc_bitmap_t set = hwloc_bitmap_alloc();
	int err = 0;
	if (!set || hwloc_bitmap_only(set, os) < 0)
		err = -ENOMEM;
	else if (hwloc_set_cpubind(m->topology, set, HWLOC_CPUBIND_THREAD | HWLOC_CPUBIND_STRICT) <
		 0)
		err = errno ? -errno : -EINVAL;
	hwloc_bitmap_free(set);
	return err;
}

static struct machine_cache describe_caches(hwloc_topology_t t, int depth)
{
	hwloc_obj_t cache = NULL;
	struct machine_cache all = {0};

	while ((cache = hwloc_get_next_obj_by_depth(t, depth, cache))) {
		unsigned cores = (unsigned)hwloc_get_nbobjs_inside_cpuset_by_type(
			t, cache->cpuset, HWLOC_OBJ_CORE);
		if (!cores)
			cores = (unsigned)hwloc_bitmap_weight(cache->cpuset);
		all.level = cache->attr->cache.depth;
		all.type = cache->attr->cache.type == HWLOC_OBJ_CACHE_DATA ? "data" : "unified";
		if (all.size_bytes < cache->attr->cache.size)
			all.size_bytes = cache->attr->cache.size;
		if (all.cores < cores)
			all.cores = cores;
		all.count++;
	}
	return all;
}

size_t machine_caches(const struct machine *m, struct machine_cache *c, size_t max)
{
	size_t n = 0;

	for (int depth = hwloc_topology_get_depth(m->topology) - 1; depth >= 0 && n < max; depth--)
		if (hwloc_obj_type_is_dcache(hwloc_get_depth_type(m->topology, depth)))
			c[n++] = describe_caches(m->topology, depth);
	return n;
}
