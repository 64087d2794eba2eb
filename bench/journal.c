// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"

static int say_what_to_do(struct error *e, int code, const char *doing, const char *path)
{
	const char *hint =
		code == ENOSPC || code == EDQUOT
			? "; free some space, then continue with 'lockscale run --resume'"
		: code == EROFS || code == EACCES ? "; choose a writable folder with --output DIR"
						  : "";
	return error_set(e, code, "cannot %s %s: %s%s", doing, path, strerror(code), hint);
}

static int write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, text, size);
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0) {
			text += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

int journal_append(struct journal *j, const json_t *line, struct error *e)
{
	char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(12));
	if (!text)
		return error_set(e, ENOMEM, "no memory for a line of %s", j->path);
	size_t size = strlen(text);
	text[size] = '\n'; /* in place of the terminating zero: one write, one line */
	off_t before = lseek(j->fd, 0, SEEK_END);
	int rc = write_all(j->fd, text, size + 1);
	free(text);
	if (!rc)
		return 0;
	/* Half a line would make the next one unreadable too. */
	if (ftruncate(j->fd, before) < 0)
		rc = rc ? rc : errno;
	return say_what_to_do(e, rc, "write", j->path);
}

static void set_path(struct journal *j, const char *dir)
{
	snprintf(j->path, sizeof j->path, "%s/journal.jsonl", dir);
}

int journal_create(struct journal *j, const char *dir, const json_t *header, struct error *e)
{
	set_path(j, dir);
	j->fd = open(j->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
	if (j->fd < 0)
		return say_what_to_do(e, errno, "create", j->path);
	int rc = journal_append(j, header, e);
	if (rc) {
		journal_close(j);
		unlink(j->path);
	}
	return rc;
}

// The end of the last complete line.
static off_t last_line_end(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char c;
	while (end > 0 && pread(fd, &c, 1, end - 1) == 1 && c != '\n')
		end--;
	return end;
}

int journal_open(struct journal *j, const char *dir, struct error *e)
{
	set_path(j, dir);
	j->fd = open(j->path, O_RDWR | O_APPEND | O_CLOEXEC);
	if (j->fd < 0)
		return say_what_to_do(e, errno, "open", j->path);
	if (ftruncate(j->fd, last_line_end(j->fd)) < 0) {
		int rc = errno;
		journal_close(j);
		return say_what_to_do(e, rc, "repair", j->path);
	}
	return 0;
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

static bool has(const json_t *o, const char *key, bool (*is)(const json_t *))
{
	return is(json_object_get(o, key));
}

static bool is_string(const json_t *v)
{
	return json_is_string(v);
}

static bool is_number(const json_t *v)
{
	return json_is_number(v);
}

static bool is_array(const json_t *v)
{
	return json_is_array(v);
}

static bool is_point(const json_t *o)
{
	return has(o, "kernel", is_string) && has(o, "strategy", is_string) &&
	       has(o, "lock", is_string) && has(o, "placement", is_string) &&
	       has(o, "threads", is_number);
}

static bool is_sample(const json_t *o)
{
	return is_point(o) && has(o, "process", is_number) && has(o, "sample", is_number) &&
	       has(o, "ops_per_second", is_number) &&
	       json_number_value(json_object_get(o, "ops_per_second")) > 0 &&
	       has(o, "lost_updates", is_number);
}

static bool is_latency(const json_t *o)
{
	return is_point(o) && has(o, "process", is_number) && has(o, "sample", is_number) &&
	       has(o, "count", is_number) && has(o, "buckets", is_array);
}

// Whether the line was understood.
static bool file_line(struct journal_content *c, json_t *line)
{
	const char *type = json_string_value(json_object_get(line, "type"));
	if (!type)
		return false;
	if (strcmp(type, "run") == 0 && !c->header) {
		c->header = json_incref(line);
		return true;
	}
	if (strcmp(type, "sample") == 0 && is_sample(line))
		return json_array_append(c->samples, line) == 0;
	if (strcmp(type, "latency") == 0 && is_latency(line))
		return json_array_append(c->latencies, line) == 0;
	if (strcmp(type, "failure") == 0 && is_point(line) && has(line, "why", is_string))
		return json_array_append(c->failures, line) == 0;
	if (strcmp(type, "note") == 0 && has(line, "kernel", is_string) &&
		has(line, "text", is_string))
		return json_object_del(line, "type") == 0 && json_array_append(c->notes, line) == 0;
	return strcmp(type, "resume") == 0;
}

static void read_lines(struct journal_content *c, FILE *f)
{
	char *text = NULL;
	size_t room = 0;
	ssize_t size;
	for (unsigned number = 1; (size = getline(&text, &room, f)) > 0; number++) {
		json_t *line =
			text[size - 1] == '\n' ? json_loadb(text, (size_t)size, 0, NULL) : NULL;
		if (!line || !file_line(c, line)) {
			c->first_damaged = c->damaged++ ? c->first_damaged : number;
		}
		json_decref(line);
	}
	free(text);
}

int journal_read(struct journal_content *c, const char *dir, struct error *e)
{
	struct journal j = {.fd = -1};
	set_path(&j, dir);
	FILE *f = fopen(j.path, "re");
	if (!f)
		return say_what_to_do(e, errno, "read", j.path);
	*c = (struct journal_content){.samples = json_array(),
		.latencies = json_array(),
		.failures = json_array(),
		.notes = json_array()};
	read_lines(c, f);
	int rc = ferror(f) ? EIO : 0;
	fclose(f);
	if (!rc && !c->header) {
		journal_content_free(c);
		return error_set(e, EINVAL,
			"%s has no readable first line that describes the run: start a new run",
			j.path);
	}
	if (rc) {
		journal_content_free(c);
		return say_what_to_do(e, rc, "read", j.path);
	}
	return 0;
}

void journal_content_free(struct journal_content *c)
{
	json_decref(c->header);
	json_decref(c->samples);
	json_decref(c->latencies);
	json_decref(c->failures);
	json_decref(c->notes);
	*c = (struct journal_content){0};
}

int write_file_atomically(const char *path, const char *text, size_t size, struct error *e)
{
	char temporary[4200];
	snprintf(temporary, sizeof temporary, "%s.%ld.tmp", path, (long)getpid());
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return say_what_to_do(e, errno, "write", path);
	int rc = write_all(fd, text, size);
	if (!rc && fsync(fd) < 0 && errno != EINVAL)
		rc = errno;
	if (close(fd) < 0 && !rc)
		rc = errno;
	if (!rc && rename(temporary, path) < 0)
		rc = errno;
	if (rc) {
		unlink(temporary);
		return say_what_to_do(e, rc, "write", path);
	}
	return 0;
}
